"""One case: two tenants, attackers, and what must hold when it is over.

    def test_a000_…(lab: Lab) -> None:
        thief = lab.browser()                 # acme's host; lab.browser(lab.beta.host) for beta's
        thief.start(lab.bob.user_id)          # people of acme by name: lab.acme.bob too
        thief.verify(lab.app_code(lab.acme.bob))
        thief.choose("email", BOB_EMAIL)
        thief.verify(lab.code())              # newest code in the outbox

`lab.trail(…)` are audit events, `lab.messages()` what was sent since it was asked last,
`lab.age(browser, seconds)` makes a journey older, `lab.at_once([…])` lets many requests go at the
same moment, `lab.conceal()` makes acme a concealing tenant. `lab.keep_secret(…)` names a further
text that must be kept nowhere; passwords, answers and journey secrets are named by themselves.

After each case (`check`): no answer was a 5xx; no secret stands in a table, the server's log or a
message; the audit chains of both tenants hold; no row of beta changed and none was shown. A case
that works in beta says `lab.leave_alone()`; one that brings the server down `lab.expect_5xx()`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from resets.models import Flow, Gate
from tenants.audit_chain import seal_pending, verify
from tenants.keys import forget_keys
from tenants.models import AuditEvent
from tests.cast import CANARY, PASSWORD, QUESTIONS, Acme, Beta, Organisation, app_code, seed_of
from tests.resets.walks import password_is, set_policy, set_tenant, set_user
from tests.security.lab.canaries import find_secrets
from tests.security.lab.client import Answer, Browser, Journal, Wire
from tests.security.lab.observers import age_flow, dump, fingerprint, take_messages
from tests.services.server import ServerProcess
from tests.services.session import watcher
from tests.services.signed_in import session_key_of

_addresses = count(1)
AT_ONCE = 20
SESSION_COOKIE = "__Host-sspr_session"


@dataclass
class Lab:
    """The case's world. `acme` is attacked, `beta` must stay as it is."""

    acme: Acme
    beta: Beta
    server: ServerProcess
    outbox: Path
    journal: Journal = field(default_factory=Journal)
    sent: list[dict[str, Any]] = field(default_factory=list, repr=False)
    codes: set[str] = field(default_factory=set, repr=False)
    seeds: set[bytes] = field(default_factory=set, repr=False)
    failures_expected: bool = False

    def __post_init__(self) -> None:
        self.wire = Wire(self.server.port, self.journal)
        self._log_from = len(self.server.log)
        self._untouched: dict[UUID, dict[str, tuple[int, str]]] = {}
        self.journal.keep_secret(PASSWORD, *QUESTIONS.values())
        self.journal.keep_secret(*(answer.lower() for answer in QUESTIONS.values()))
        self.leave_alone(self.beta)

    # --- Attackers and what they do ---------------------------------------------------------

    def address(self) -> str:
        """A network address nobody had before."""
        number = next(_addresses)
        return f"198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}"

    def browser(self, host: str = "", *, address: str = "") -> Browser:
        return Browser(self.wire, host or self.acme.host, address or self.address())

    def begun(self, user_id: str, **more: str) -> Browser:
        """A browser on the first page of somebody's journey."""
        browser = self.browser(**more)
        browser.start(user_id)
        return browser

    def signed_in(self, user: User, *, proved_ago: timedelta | None = timedelta(0)) -> Browser:
        """A browser of somebody of acme who signed in and proved the app that long ago, or not."""
        browser = self.browser()
        at = timezone.now() - proved_ago if proved_ago is not None else None
        methods = ("app_code",) if proved_ago is not None else ()
        key = session_key_of(self.acme, user, proved=methods, proved_at=at)
        browser.cookies[SESSION_COOKIE] = key
        return browser

    def at_once(self, acts: Sequence[Callable[[], Answer]]) -> list[Answer]:
        """The answers to requests that start together, `AT_ONCE` at a time."""
        width = min(AT_ONCE, len(acts))
        gate = Barrier(width)

        def run(place: int) -> list[Answer]:
            gate.wait(timeout=60)
            return [act() for act in acts[place::width]]

        with ThreadPoolExecutor(width) as pool:
            return [answer for some in pool.map(run, range(width)) for answer in some]

    # --- The world --------------------------------------------------------------------------

    def conceal(self) -> None:
        set_tenant(self.acme, disclosure="concealed")

    def guide(self) -> None:
        set_tenant(self.acme, disclosure="guided")

    def policy(self, **fields: Any) -> None:
        set_policy(self.acme, **fields)

    def change(self, user: User, **fields: Any) -> None:
        set_user(self.acme, user, **fields)

    def age(self, browser: Browser, seconds: float) -> None:
        age_flow(browser.flow, timedelta(seconds=seconds))

    def app_code(self, user: User, *, steps: int = 0) -> str:
        """What the app shows now, or `steps` of 30 s later."""
        self.seeds.add(seed_of(user))
        code = app_code(user, timezone.now() + timedelta(seconds=30 * steps))
        self.codes.add(code)
        return code

    # --- Observers --------------------------------------------------------------------------

    def messages(self) -> list[dict[str, Any]]:
        """What was sent since it was asked last, oldest first."""
        found = take_messages(self.outbox)
        self.sent += found
        self.codes |= {str(m["data"]["code"]) for m in found if m["data"].get("code")}
        return found

    def code(self) -> str:
        """The newest code that was sent."""
        return self.all_codes()[-1]

    def all_codes(self) -> list[str]:
        """Every code that was sent, oldest first."""
        self.messages()
        return [str(m["data"]["code"]) for m in self.sent if m["kind"] == "code"]

    def trail(self, organisation: Organisation | None = None, **which: Any) -> list[AuditEvent]:
        with (organisation or self.acme).inside():
            return list(AuditEvent.objects.filter(**which).order_by("created_at", "type"))

    def types(self, browser: Browser) -> list[str]:
        """The types of a journey's audit events, oldest first."""
        return [event.type for event in self.trail(correlation_id=browser.flow)]

    def flow(self, browser: Browser) -> Flow:
        with self.acme.inside():
            row: Flow = Flow.objects.get(pk=browser.flow)
            return row

    def gates(self, browser: Browser) -> list[str]:
        """The methods this journey was proved with so far."""
        with self.acme.inside():
            rows = Gate.objects.filter(flow=browser.flow).order_by("step")
            return list(rows.values_list("method", flat=True))

    def password_is(self, user: User, password: str = PASSWORD) -> bool:
        return password_is(self.acme, user, password)

    def rows(self, table: str) -> int:
        """How many rows a table has, over all tenants."""
        found = watcher().execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - names written in a test
        assert found is not None
        return int(found[0])

    # --- What must hold ---------------------------------------------------------------------

    def keep_secret(self, *texts: str) -> None:
        self.journal.keep_secret(*texts)

    def leave_alone(self, *organisations: Organisation) -> None:
        """Exactly these must not change from here on, and are not to be seen by others."""
        self._untouched = {other.id: fingerprint(other.id) for other in organisations}

    def expect_5xx(self) -> None:
        """A fault is on: an answer may be 503."""
        self.failures_expected = True

    @property
    def log(self) -> str:
        """What the server wrote during this case."""
        return self.server.log[self._log_from :]

    def check(self) -> None:
        """Everything that must hold after a case."""
        self.messages()
        self._check_answers()
        self._check_secrets()
        for tenant, before in self._untouched.items():
            assert fingerprint(tenant) == before, "rows of a tenant nobody worked in have changed"
        self._check_trails()

    def _check_answers(self) -> None:
        failed = [(a.method, a.path, a.status) for a in self.journal.answers if a.status >= 500]
        assert self.failures_expected or failed == []
        if self.beta.id not in self._untouched:
            return
        for answer in self.journal.answers:
            seen = answer.body + repr(answer.headers).encode()
            assert CANARY.encode() not in seen, f"{answer.method} {answer.path} shows beta"

    def _check_secrets(self) -> None:
        places = {**dump(), "log": self.log.encode()}
        secrets: set[str | bytes] = {*self.journal.secrets, *self.codes, *self.seeds}
        assert find_secrets(places, secrets) == []
        # A code is what a message is for; a password or an answer never is.
        text = repr(self.sent).encode()
        assert find_secrets({"messages": text}, self.journal.secrets) == []

    def _check_trails(self) -> None:
        now = timezone.now()
        while seal_pending(now):
            continue
        for organisation in (self.acme, self.beta):
            with organisation.inside():
                found = verify(())
            assert (found.intact, found.unsealed) == (True, 0), found.why

    def close(self) -> None:
        self.wire.close()
        forget_keys()


@contextmanager
def opened_lab(acme: Acme, beta: Beta, server: ServerProcess, outbox: Path) -> Iterator[Lab]:
    """The case's world; what must hold after every case is checked when the block is left."""
    forget_keys()
    found = Lab(acme, beta, server, outbox)
    yield found
    try:
        found.check()
    finally:
        found.close()
