"""F-10: PostgreSQL crashes and comes back, under people who are in the middle of a reset."""

import base64
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event

from django.utils import timezone

from tests.cast import NEW_PASSWORD, PASSWORD
from tests.security.lab.captcha import ripe_ticket
from tests.security.lab.client import Answer, Browser, Journal, Wire
from tests.security.lab.extra_database import CrashingCluster, crashing_cluster
from tests.security.lab.extra_faults import MailServer, code_of, mail_server, wait_for
from tests.security.lab.server import start_server
from tests.services.command import worker

HOST, SEED = "acme.sspr.test", b"seed of bob, 20 byte"
FILE = f"""
[tenant]
slug = "acme"
name = "Acme"
hosts = ["{HOST}"]
domains = [{{ name = "acme.example" }}]
[policy]
methods = ["email", "app_code", "mobile_phone"]
methods_required = 1
[password]
check_breached = false
[[users]]
id = "bob@acme.example"
display_name = "Bob Brown"
password = "{PASSWORD}"
alternate_email = "bob@example.net"
totp_secret = "{base64.b32encode(SEED).decode()}"
[[users]]
id = "zoe@acme.example"
password = "{PASSWORD}"
alternate_email = "zoe@example.net"
"""
RECOVERY = 30
HALF_STATES = {
    "journeys without their first event": "SELECT f.id FROM resets_flow f WHERE NOT EXISTS"
    " (SELECT 1 FROM tenants_auditevent e WHERE e.correlation_id = f.id)",
    "events without a journey": "SELECT e.id FROM tenants_auditevent e"
    " WHERE e.type = 'flow.started'"
    " AND NOT EXISTS (SELECT 1 FROM resets_flow f WHERE f.id = e.correlation_id)",
    "gates of a challenge that was not passed": "SELECT g.id FROM resets_gate g"
    " JOIN resets_challenge c ON c.id = g.challenge_id WHERE c.used_at IS NULL",
}


class Visitors:
    """People who come one after the other until they are told to stop, each from elsewhere."""

    def __init__(self, wire: Wire) -> None:
        self.door = Browser(wire, HOST, "203.0.113.1")
        self.door.get("/reset/")
        self.answers: list[Answer] = []
        self.stop = Event()

    def come(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            person = self.door.twin()
            person.address = f"203.{number // 250}.113.{number % 250 + 1}"
            fields = {"user_id": f"n{number}@acme.example", "ticket": ripe_ticket(HOST)}
            self.answers.append(person.post("/reset/", fields, follow=False))

    def with_status(self, status: int) -> list[Answer]:
        return [answer for answer in self.answers if answer.status == status]


def _crash(
    database: CrashingCluster, mail: MailServer, visitors: Visitors, bob: Browser, zoe: Browser
) -> tuple[list[Answer], list[int]]:
    """Down and up again while people come; what was answered meanwhile, and by the probes."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(visitors.come)
        try:
            wait_for(lambda: len(visitors.with_status(303)) > 3, "visitors")
            database.crash()
            down = [
                bob.submit(NEW_PASSWORD),
                zoe.verify("000000"),
                zoe.request("GET", "/reset/"),
                zoe.request("GET", "/admin/"),
            ]
            probes = [zoe.request("GET", path).status for path in ("/healthz", "/readyz")]
            database.revive()
            mail.mode = "ok"
            before = len(visitors.with_status(303))
            wait_for(lambda: len(visitors.with_status(303)) > before + 3, "recovery", RECOVERY)
        finally:
            visitors.stop.set()
        coming.result()
    return down, probes


def _assert_nothing_lost(database: CrashingCluster, visitors: Visitors) -> None:
    """Whoever was told that a journey began finds it; nobody's is half there."""
    begun = {a.header("Location").split("/")[2] for a in visitors.with_status(303)}
    kept = {str(row[0]) for row in database.rows("SELECT id FROM resets_flow")}
    assert begun <= kept
    half = {what: database.rows(query) for what, query in HALF_STATES.items()}
    assert half == {what: [] for what in HALF_STATES}


def _in_the_middle(wire: Wire, mail: MailServer) -> tuple[Browser, Browser]:
    """Bob, who only lacks the password, and Zoe, whose code is with the worker."""
    bob, zoe = Browser(wire, HOST, "192.0.2.1"), Browser(wire, HOST, "192.0.2.2")
    bob.start("bob@acme.example")
    bob.choose("app_code")
    bob.verify(code_of(SEED, timezone.now()))
    assert bob.state == "choosing"
    zoe.start("zoe@acme.example")
    mail.mode = "stall"
    zoe.choose("email", "zoe@example.net")
    return bob, zoe


def test_f10_a_crash_of_the_database_is_a_pause_and_nothing_is_lost_or_left_half_done(
    tmp_path: Path, django_db_setup: None
) -> None:
    with (
        crashing_cluster(FILE, tmp_path) as database,
        mail_server() as mail,
        start_server(**database.env) as server,
        worker({**database.env, "EMAIL_URL": mail.url}) as running,
        closing(Wire(server.port, Journal())) as wire,
    ):
        bob, zoe = _in_the_middle(wire, mail)
        visitors = Visitors(wire)

        down, probes = _crash(database, mail, visitors, bob, zoe)

        # The first page shows what it knows of the organisation; it needs no database for it.
        assert [answer.status for answer in down] == [503, 503, 200, 503]
        assert probes == [200, 503]
        assert {answer.status for answer in visitors.answers} <= {303, 503}
        gone = [*(answer for answer in down if answer.status == 503), *visitors.with_status(503)]
        assert all(int(answer.header("Retry-After")) > 0 for answer in gone)
        assert all("no-store" in answer.header("Cache-Control") for answer in gone)
        _assert_nothing_lost(database, visitors)
        # The two in the middle go on where they were, without proving anything again.
        bob.status()
        bob.submit(NEW_PASSWORD)
        assert bob.state == "done"
        told = {"bob@example.net", "zoe@example.net"}
        wait_for(lambda: set(mail.recipients()) == told, "the worker")
        assert running.is_running
        # Hers was on its way when the database went: where nobody could note that it was taken, it
        # comes again, with the same code (F-04).
        assert mail.recipients().count("bob@example.net") == 1
        assert len(set(mail.codes("zoe@example.net"))) == 1
        zoe.status()
        zoe.verify(mail.codes("zoe@example.net")[0])
        assert zoe.state == "choosing"
