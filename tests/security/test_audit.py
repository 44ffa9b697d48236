"""A-117…A-119: nobody changes the trail, whoever does is found out, and every journey is in it."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tenants.audit_types import EVENT_TYPES
from tenants.models import AuditEvent
from tests.cast import ALICE_EMAIL, ALICE_MOBILE, NEW_PASSWORD, PASSWORD, QUESTIONS, seed_of
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.canaries import find_secrets
from tests.security.lab.client import Browser
from tests.security.lab.lab import Lab
from tests.security.lab.observers import dump, superuser
from tests.services.postgres import RUNTIME
from tests.services.server import ROOT
from tests.services.session import database, shared_cluster
from tests.tenants.trail import tampering

# --- the runtime role ---------------------------------------------------------------------

STATEMENTS = (
    "UPDATE tenants_auditevent SET result = 'success'",
    "DELETE FROM tenants_auditevent",
    "TRUNCATE tenants_auditevent CASCADE",
    "UPDATE tenants_auditseal SET sequence = sequence + 1",
    "DELETE FROM tenants_auditseal",
    "TRUNCATE tenants_auditseal",
    "TRUNCATE tenants_auditpending",
    "TRUNCATE tenants_audithead",
    "ALTER TABLE tenants_auditevent DISABLE TRIGGER ALL",
    "ALTER TABLE tenants_auditevent DISABLE ROW LEVEL SECURITY",
    "DROP TABLE tenants_auditevent CASCADE",
    "SET session_replication_role = replica",
    "SET ROLE sspr_owner",
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a117_the_role_of_the_product_cannot_change_the_trail(lab: Lab, statement: str) -> None:
    lab.begun(lab.acme.bob.user_id).cancel()
    lab.check()
    before = dump()["tenants_auditevent"], dump()["tenants_auditseal"]

    with psycopg.connect(shared_cluster().url(RUNTIME, database())) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, true)", [str(lab.acme.id)])
        seen = connection.execute("SELECT count(*) FROM tenants_auditevent").fetchone()
        assert seen is not None
        assert seen[0] > 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())

    assert (dump()["tenants_auditevent"], dump()["tenants_auditseal"]) == before


# --- a superuser --------------------------------------------------------------------------

TABLES = ("tenants_auditevent", "tenants_auditseal", "tenants_audithead", "tenants_auditpending")
_OF = "(SELECT event_id FROM tenants_auditseal WHERE sequence = 3 AND tenant_id = %(tenant)s)"
_MOVE = "UPDATE tenants_auditseal SET sequence = {} WHERE sequence = {} AND tenant_id = %(tenant)s"
_UNSEALED = (
    "DELETE FROM tenants_auditevent e WHERE tenant_id = %(tenant)s"
    " AND NOT EXISTS (SELECT 1 FROM tenants_auditseal s WHERE s.event_id = e.id)"
)
_PUT_IN = (
    f"CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT * FROM tenants_auditevent WHERE id = {_OF}",  # noqa: S608 - our own text
    "UPDATE copied SET id = gen_random_uuid(), reason = 'nothing happened'",
    "INSERT INTO tenants_auditevent SELECT * FROM copied",
)
TAMPERING: dict[str, tuple[tuple[str, ...], bool]] = {
    # What is done, and whether it stands at number 3 or after the recorded end.
    "edited": ((f"UPDATE tenants_auditevent SET reason = 'nothing' WHERE id = {_OF}",), True),  # noqa: S608 - our own text
    "deleted": ((f"DELETE FROM tenants_auditevent WHERE id = {_OF}",), True),  # noqa: S608 - our own text
    "deleted with its seal": (
        (
            "DELETE FROM tenants_auditseal WHERE sequence = 3 AND tenant_id = %(tenant)s",
            _UNSEALED,
        ),
        True,
    ),
    "reordered": ((_MOVE.format(99, 3), _MOVE.format(3, 4), _MOVE.format(4, 99)), True),
    "put in": (_PUT_IN, False),
}


@pytest.fixture
def copied(lab: Lab) -> Iterator[Lab]:
    """A trail of one finished journey; after the case it stands as it did."""
    person = lab.begun(lab.acme.bob.user_id)
    person.verify("000000")
    person.cancel()
    lab.check()
    kept = {}
    with superuser() as connection:
        for table in TABLES:
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
                kept[table] = b"".join(bytes(block) for block in copy)
    yield lab
    with tampering() as connection:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table}".encode())  # noqa: S608 - our own names
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(kept[table])


def _verified() -> tuple[int, str]:
    output = StringIO()
    try:
        call_command("verify_audit", "acme", stdout=output)
    except CommandError as error:
        return error.returncode, output.getvalue()
    return 0, output.getvalue()


@pytest.mark.parametrize("kind", TAMPERING)
def test_a118_a_row_that_was_tampered_with_is_named_by_its_number(copied: Lab, kind: str) -> None:
    assert _verified()[0] == 0
    with copied.acme.inside():
        end = AuditEvent.objects.count()
    statements, inside = TAMPERING[kind]

    with tampering() as connection:
        for statement in statements:
            connection.execute(statement.encode(), {"tenant": copied.acme.id})

    number = 3 if inside else end + 1
    status, said = _verified()
    assert status == 1
    assert said.startswith(f"acme: first bad sequence number {number}: ")


def test_a118_the_command_itself_ends_with_1_and_names_the_number(copied: Lab) -> None:
    with tampering() as connection:
        edit, _ = TAMPERING["edited"]
        connection.execute(edit[0].encode(), {"tenant": copied.acme.id})

    done = subprocess.run(
        [sys.executable, "manage.py", "verify_audit"],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert "acme: first bad sequence number 3: " in done.stdout
    assert "beta: intact" in done.stdout


# --- what every journey leaves ------------------------------------------------------------

_ROW = re.compile(r"^\| ([a-z ]+) \| (`.*`) \|$", re.MULTILINE)
REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")


def _documented() -> dict[str, Counter[str]]:
    """Outcome and its events, from the table for people who read the trail."""
    text = Path(ROOT, "docs", "audit-trail.md").read_text(encoding="utf-8")
    found = {}
    for name, events in _ROW.findall(text):
        counted: Counter[str] = Counter()
        for piece in re.findall(r"`([a-z_.]+)`(?: ×(\d+))?", events):
            counted[piece[0]] += int(piece[1] or 1)
        found[name] = counted
    return found


def _proved(lab: Lab) -> Browser:
    person = lab.begun(lab.acme.bob.user_id)
    person.verify(lab.app_code(lab.acme.bob, steps=_next_step(lab)))
    person.choose("email", BOB_EMAIL)
    person.verify(lab.code())
    return person


def _next_step(lab: Lab) -> int:
    """An app's code works once, so a second journey in the same half minute takes the next."""
    return len(lab.trail(type="flow.verification_completed", data__method="app_code")) % 2


def _reset(lab: Lab) -> Browser:
    person = _proved(lab)
    person.submit(NEW_PASSWORD)
    lab.messages()
    return person


def _weak(lab: Lab) -> Browser:
    person = _proved(lab)
    person.submit("short")
    person.cancel()
    return person


def _cancelled(lab: Lab) -> Browser:
    person = lab.begun(lab.acme.alice.user_id)
    person.cancel()
    return person


def _expired(lab: Lab) -> Browser:
    person = lab.begun(lab.acme.alice.user_id)
    lab.age(person, 1000)
    assert person.cancel().status in {303, 410}
    assert person.state == "expired"
    return person


def _denied(lab: Lab) -> Browser:
    person = lab.begun(lab.acme.alice.user_id)
    assert person.submit(NEW_PASSWORD).status == 403
    return person


def _locked(lab: Lab) -> Browser:
    person = lab.begun(lab.acme.carol.user_id)
    for _ in range(5):
        person.verify("000000")
    assert person.state == "locked"
    return person


def _refused(user: str) -> Callable[[Lab], Browser]:
    def walk(lab: Lab) -> Browser:
        person = lab.begun(getattr(lab.acme, user).user_id if user else "nobody@acme.example")
        assert person.state == "refused"
        return person

    return walk


def _mistyped(lab: Lab) -> Browser:
    person = lab.begun(lab.acme.alice.user_id)
    person.choose("email", "another@example.net")
    person.choose("mobile_phone", ALICE_MOBILE, "sms")
    lab.messages()
    person.cancel()
    return person


OUTCOMES: dict[str, Callable[[Lab], Browser]] = {
    "password set": _reset,
    "password refused": _weak,
    "cancelled": _cancelled,
    "expired": _expired,
    "a step that is not open": _denied,
    "a wrong contact": _mistyped,
    "locked": _locked,
    "refused unknown": _refused(""),
    "refused disabled": _refused("dave"),
    "refused without licence": _refused("oscar"),
    "refused without methods": _refused("eve"),
}


def _walk_all(lab: Lab) -> dict[str, Browser]:
    return {name: walk(lab) for name, walk in OUTCOMES.items()}


def test_a119_every_outcome_leaves_exactly_the_documented_events(lab: Lab) -> None:
    assert set(_documented()) == set(OUTCOMES)

    walked = _walk_all(lab)

    found = {name: Counter(lab.types(person)) for name, person in walked.items()}
    assert found == _documented()
    everything = Counter(event.type for event in lab.trail())
    assert everything == sum(found.values(), Counter())


def test_a119_every_event_says_when_who_whom_where_how_and_in_which_journey(lab: Lab) -> None:
    begun = timezone.now() - timedelta(seconds=1)
    walked = {person.flow: person for person in _walk_all(lab).values()}

    for event in lab.trail():
        assert event.tenant_id == lab.acme.id
        assert event.created_at.tzinfo == UTC
        assert begun <= event.created_at <= timezone.now()
        assert event.result in {"success", "failure", "denied"}
        assert event.reason or not event.type.startswith(("flow.", "password."))
        assert event.activity == EVENT_TYPES[event.type].activity
        assert set(event.data) <= EVENT_TYPES[event.type].keys
        assert event.correlation_id is not None
        person = walked[event.correlation_id]
        assert event.reference == lab.flow(person).reference
        assert REFERENCE.fullmatch(event.reference)
        if event.type.startswith("flow.verification"):
            assert event.data["method"] in {"email", "app_code", "mobile_phone"}
        if event.actor_kind == "system":
            assert event.actor_label
            continue
        assert event.address == person.address
        assert event.actor_kind in {"user", "administrator", "anonymous"}
        assert (event.actor_id is None) == (event.actor_kind == "anonymous")


def test_a119_no_event_holds_a_code_a_password_or_a_contact(lab: Lab) -> None:
    _walk_all(lab)
    people = [lab.acme.alice, lab.acme.bob, lab.acme.carol]
    typed = {NEW_PASSWORD, PASSWORD, ALICE_EMAIL, BOB_EMAIL, ALICE_MOBILE, "another@example.net"}
    secrets: set[str | bytes] = {*typed, *QUESTIONS.values(), *lab.codes, *lab.journal.secrets}
    secrets |= {seed_of(user) for user in people} | {"+14255550101", "nobody@acme.example"}

    kept = dump()["tenants_auditevent"]

    assert len(lab.codes) >= 4
    assert find_secrets({"trail": kept}, secrets) == []
    assert find_secrets({"trail": kept}, [lab.acme.bob.user_id]) != []
    data = json.dumps([event.data for event in lab.trail()])
    assert not re.search(r"(?<![.\d])\d{6}(?!\d)|@|\+\d{4}", data)
