"""What one request of a stranger costs, in one-query views (P9), and whether it makes a hash."""

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from django.utils import timezone

from benchmarks.harness.browser import Browser, WentWrong, form_of
from benchmarks.harness.captcha import solved
from benchmarks.harness.counts import Counts, Tally
from benchmarks.harness.measure import MS, Meter
from benchmarks.harness.output import as_json, say, table
from benchmarks.harness.people import Person, make_people
from benchmarks.harness.stage import DATABASE
from benchmarks.harness.stats import ratios, spread
from benchmarks.harness.walks import address_of
from benchmarks.harness.wire import Connection, Request
from benchmarks.measured.variants import OUR_VARIANT, Ground, Running, running
from sspr_project.worker import run_once
from tenants.counters import Count, count_up
from tenants.limits import LIMITS

USED_UP = "203.0.113.9"
BATCH, RAN_UP = 20, 5
"""Requests that follow each other, and those before them that are not counted: whoever asks for
one thing again and again finds it in the processor's caches."""
ROUNDS = 2
"""With more, a tenant's limits for wrong answers are reached, and refusals are measured."""


@dataclass
class Stranger:
    """Somebody without an account of their own, and what they need to make requests."""

    ground: Ground
    connection: Connection
    people: Iterator[Person]
    unknown: Iterator[Person]
    addresses: Iterator[int]

    def address(self) -> str:
        return address_of(next(self.addresses))

    def browser(self, person: Person, address: str = "") -> Browser:
        return Browser(self.connection, person.place.host, address or self.address())

    def get(self, path: str, **headers: str) -> Request:
        sent = {"X-Forwarded-For": self.address(), "Accept-Language": "en", **headers}
        return Request(path, self.ground.places[0].host, sent)

    def start(self, person: Person, *, address: str = "", **changed: str) -> Request:
        """The first form, ready to be sent; `changed` are fields that are not as they should be."""
        browser = self.browser(person, address)
        page = browser.get("", "/reset/")
        _, values = form_of(page.text)
        fields = {**values, "user_id": person.user_id, "altcha": solved(person.place.host)}
        return sending(browser, "/reset/", {**fields, "ticket": "", **changed})

    def on_the_way(self, person: Person) -> Browser:
        """A browser that has just started a journey and sees its first page."""
        browser = self.browser(person)
        self.page = browser.get("", "/reset/")
        fields = {"user_id": person.user_id, "altcha": solved(person.place.host), "ticket": ""}
        browser.submit("", fields, follow="first page")
        return browser


def sending(browser: Browser, path: str, fields: dict[str, str]) -> Request:
    """A posted form with this browser's cookies, not sent yet."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"X-Forwarded-For": browser.address, "Accept-Language": "en", "Cookie": cookie}
    return Request(path, browser.host, headers, fields)


Make = Callable[[Stranger], Request]


class Cost(NamedTuple):
    """ms of CPU: of the request itself, of the worker because of it, and of one-query views asked
    for in turns with it."""

    request: float
    later: float
    view: float


def _forged(stranger: Stranger, action: str, fields: dict[str, str] | None = None) -> Request:
    """For a journey that this browser does not hold; the form's own protection is right."""
    browser = stranger.browser(next(stranger.people))
    _, values = form_of(browser.get("", "/reset/").text)
    tenant = stranger.ground.places[0].tenant
    browser.cookies["sspr_flow"] = f"{tenant.hex}.{secrets.token_urlsafe(32)}"
    path = f"/reset/{uuid4()}/{action}"
    if fields is None:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return stranger.get(path, Cookie=cookie)
    return sending(browser, path, {"csrfmiddlewaretoken": values["csrfmiddlewaretoken"], **fields})


def _within(stranger: Stranger, action: str, fields: dict[str, str]) -> Request:
    """A step of a journey that anybody can start for somebody else."""
    browser = stranger.on_the_way(next(stranger.people))
    path = browser.path.partition("?")[0]
    if action == "choose/":
        browser.get("", f"{path}?other=1")
    _, values = form_of(browser.shown.text)
    token = {"csrfmiddlewaretoken": values["csrfmiddlewaretoken"]}
    return sending(browser, path + action, {**token, **fields})


def _locked_out(stranger: Stranger) -> Request:
    """From an address whose starts are used up."""
    return stranger.start(next(stranger.people), address=USED_UP)


def _help(stranger: Stranger, person: Person) -> Request:
    browser = stranger.browser(person)
    _, values = form_of(browser.get("", "/help/").text)
    fields = {**values, "user_id": person.user_id, "altcha": solved(person.place.host)}
    return sending(browser, "/help/", {**fields, "ticket": "", "note": "Please help."})


def _sign_in(stranger: Stranger) -> Request:
    browser = stranger.browser(next(stranger.people))
    _, values = form_of(browser.get("", "/admin/login/").text)
    person = next(stranger.people)
    return sending(
        browser, "/admin/login/", {**values, "user_id": person.user_id, "password": "wrong"}
    )


def _ticket(stranger: Stranger) -> Request:
    from resets.captcha import new_ticket

    person = next(stranger.people)
    ticket = new_ticket(person.place.host, timezone.now())
    return stranger.start(person, altcha="", ticket=ticket)


def _not_me() -> str:
    return f"/not-me/{uuid4().hex}.{secrets.token_urlsafe(32)}/"


KINDS: dict[str, Make] = {
    "home": lambda s: s.get("/"),
    "start page": lambda s: s.get("/reset/"),
    "help page": lambda s: s.get("/help/"),
    "colour of the tenant": lambda s: s.get("/theme/0b5cad.css"),
    "no such page": lambda s: s.get("/nowhere/"),
    "no such host": lambda s: Request("/", "nobody.example", {}),
    "start: known person": lambda s: s.start(next(s.people)),
    "start: unknown person": lambda s: s.start(next(s.unknown)),
    "start: limit of the address used up": _locked_out,
    "start: wrong captcha": lambda s: s.start(next(s.people), altcha="bm90aGluZw=="),
    "start: too early without JavaScript": _ticket,
    "start: nothing typed": lambda s: s.start(next(s.people), user_id=""),
    "start: 60 KB typed": lambda s: s.start(next(s.people), user_id="x" * 60_000),
    "start: more than allowed": lambda s: s.start(next(s.people), user_id="x" * 70_000),
    "start: without the form's protection": lambda s: Request(
        "/reset/", s.ground.places[0].host, {}, {"user_id": "somebody"}
    ),
    "journey page: cookie forged": lambda s: _forged(s, ""),
    "journey page: cookie garbage": lambda s: s.get(f"/reset/{uuid4()}/", Cookie="sspr_flow=x"),
    "verify: cookie forged": lambda s: _forged(s, "verify/", {"code": "123456"}),
    "submit: cookie forged": lambda s: _forged(s, "submit/", {"new_password": "Quiet-Harbour 7"}),
    "verify: wrong code": lambda s: _within(s, "verify/", {"code": "000000"}),
    "choose: wrong contact": lambda s: _within(
        s, "choose/", {"method": "email", "contact": "somebody@example.net"}
    ),
    "cancel": lambda s: _within(s, "cancel/", {}),
    "help: known person": lambda s: _help(s, next(s.people)),
    "help: unknown person": lambda s: _help(s, next(s.unknown)),
    "not me: token forged": lambda s: s.get(_not_me()),
    "administration without a session": lambda s: s.get("/admin/"),
    "sign-in page of administrators": lambda s: s.get("/admin/login/"),
    "sign-in of administrators: wrong password": _sign_in,
}
HASHES = frozenset({"sign-in of administrators: wrong password"})
"""What makes a password hash by its nature; counted against limits first."""


def measure(ground: Ground, chosen: argparse.Namespace) -> dict[str, Any]:
    """CPU of each kind in one-query views: the request itself (server and database), and what the
    worker does about it later (worker and database)."""
    stranger = _stranger(ground, chosen)
    spent: dict[str, list[Cost]] = {kind: [] for kind in KINDS}
    for number in range(ROUNDS):
        with running(ground, OUR_VARIANT, work=False) as run:
            stranger.connection = Connection(run.server.port)
            for kind, make in KINDS.items():
                spent[kind].append(_cost(stranger, run, make, chosen))
            stranger.connection.close()
        say(f"strangers, round {number + 1} of {ROUNDS} done")
    counted = _count(stranger)
    if counted["verify: wrong code"].statements < 2:
        raise WentWrong("a limit was reached; what was measured is a refusal")
    kinds = {
        kind: {
            "ms": as_json(spread([cost.request for cost in costs])),
            "views": as_json(ratios([cost.request for cost in costs], _views(costs))),
            "later_ms": as_json(spread([cost.later for cost in costs])),
            "later_views": as_json(ratios([cost.later for cost in costs], _views(costs))),
            "hashes_by_nature": kind in HASHES,
            **counted[kind].as_json(),
        }
        for kind, costs in spent.items()
    }
    units = [view for costs in spent.values() for view in _views(costs)]
    _show(kinds, units)
    return {"anonymous": {"one_query_view_ms": as_json(spread(units)), "kinds": kinds}}


def _views(costs: Sequence[Cost]) -> list[float]:
    return [cost.view for cost in costs]


def _show(kinds: dict[str, dict[str, Any]], units: Sequence[float]) -> None:
    rows = [
        (
            kind,
            *(float(found[name]["middle"]) for name in ("ms", "views", "later_views")),
            found["statements"],
            found["hashes"],
        )
        for kind, found in sorted(kinds.items(), key=lambda item: -item[1]["views"]["middle"])
    ]
    head = ("A stranger's request", "CPU ms", "one-query views", "worker later", "SQL", "hashes")
    table(f"In one-query views of {spread(units).middle:.2f} ms", head, rows)


def _stranger(ground: Ground, chosen: argparse.Namespace) -> Stranger:
    """Enough people that nobody's own limits are reached."""
    wanted = (chosen.requests * 2 + chosen.warm) * ROUNDS * len(KINDS) // 2 + 500
    each = -(-wanted // len(ground.places)) // 4 + 1
    limit = LIMITS["starts_by_address_hour"]
    for _ in range(limit.count + 1):
        count_up([Count(limit, USED_UP)], timezone.now())
    known = [make_people(place, "able", each, first=1_000_000) for place in ground.places]
    unknown = [make_people(place, "unknown", each * 4) for place in ground.places]
    return Stranger(
        ground,
        Connection(0),
        _round_robin(known),
        _round_robin(unknown),
        iter(range(2**23, 2**24)),
    )


def _round_robin(rows: Sequence[Sequence[Person]]) -> Iterator[Person]:
    """One of each tenant in turn, from the start again when all had theirs."""
    while True:
        for row in zip(*rows, strict=True):
            yield from row


def _cost(stranger: Stranger, run: Running, make: Make, chosen: argparse.Namespace) -> Cost:
    """What has to stand before is made first and not counted. Small batches take turns with
    one-query views, so that a slow spell of the machine falls out of the ratio."""
    meter = Meter(run.server.pid, stranger.ground.cluster.postmaster)
    for _ in range(chosen.warm):
        stranger.connection.ask(make(stranger))
    _work()
    at_once = view = 0.0
    turns = max(1, chosen.requests // BATCH)
    for _ in range(turns):
        requests = [make(stranger) for _ in range(RAN_UP + BATCH)]
        view += _asked(stranger, meter, [stranger.get("/pingdb/") for _ in requests])
        at_once += _asked(stranger, meter, requests)
    meter.take()
    own = time.process_time()
    _work()
    later = time.process_time() - own + meter.take()[1]
    counted, all_of_them = turns * BATCH, turns * (RAN_UP + BATCH)
    return Cost(at_once / counted * MS, later / all_of_them * MS, view / counted * MS)


def _asked(stranger: Stranger, meter: Meter, requests: Sequence[Request]) -> float:
    """Seconds of CPU that these requests took but for the first few."""
    for request in requests[:RAN_UP]:
        stranger.connection.ask(request)
    meter.take()
    for request in requests[RAN_UP:]:
        stranger.connection.ask(request)
    return sum(meter.take())


def _work() -> None:
    """The worker's work in this process, until there is nothing left."""
    while run_once():
        continue


def _count(stranger: Stranger) -> dict[str, Counts]:
    """Statements and hashes of one request of each kind, without the worker."""
    ground = stranger.ground
    with tempfile.TemporaryDirectory(prefix="sspr-bench-") as folder:
        hashes = Path(folder) / "hashes"
        with running(ground, OUR_VARIANT, work=False, counter=str(hashes)) as run:
            stranger.connection = Connection(run.server.port)
            with Tally(ground.cluster, DATABASE, hashes) as tally:
                found = {kind: _count_one(stranger, tally, make) for kind, make in KINDS.items()}
            stranger.connection.close()
    return found


def _count_one(stranger: Stranger, tally: Tally, make: Make) -> Counts:
    # The first one fills caches.
    for _ in range(2):
        request = make(stranger)
        tally.take()
        stranger.connection.ask(request)
    return tally.take()
