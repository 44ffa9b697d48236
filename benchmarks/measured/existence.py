"""Pairs of people at every step of a concealed journey: time, answers, statements, messages."""

import argparse
import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from benchmarks.harness.browser import Browser
from benchmarks.harness.captcha import solved
from benchmarks.harness.cluster import product_env
from benchmarks.harness.counts import Counts, Tally, kind_of
from benchmarks.harness.output import say, table
from benchmarks.harness.people import Person, Place, make_people, make_place
from benchmarks.harness.servers import Server, Worker, wait_for_quiet
from benchmarks.harness.stage import DATABASE, Stage
from benchmarks.harness.stats import percentile, separation
from benchmarks.harness.walks import address_of
from benchmarks.harness.wire import Connection, Reply
from benchmarks.measured import stray

LEAST, MOST = 0.45, 0.55
CONTRASTS = (
    ("unknown", "able"),
    ("disabled", "able"),
    ("unlicensed", "able"),
    ("unregistered", "able"),
    ("locked", "able"),
    ("locked", "locked unknown"),
)
LOCK_SHOWS_AFTER = "first page"
"""Whoever is locked is told so at the first answer, existing or not: from then on somebody locked
differs from somebody able for all the world to see, and is judged beside somebody unknown who is
locked."""
RESEND_AFTER = 31.0
PAIRS_A_BATCH = 192
"""Between the steps of a batch and those that have to wait no code and no journey runs out."""
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b"), "REFERENCE"),
    (re.compile(r"\b[a-z]\d{7}@"), "WHO@"),
    (re.compile(r'(name="csrfmiddlewaretoken" value=)"[^"]*"'), r"\1"),
    (re.compile(r'(data-challenge=)"[^"]*"'), r"\1"),
    (re.compile(r'(name="ticket"\s+value=)"[^"]*"'), r"\1"),
    (re.compile(r"\d\d:\d\d UTC"), "TIME"),
    (re.compile(r'(data-(?:seconds|resend)[a-z-]*=)"\d+"'), r"\1"),
    (re.compile(r"\b\d{1,3}\b(?= ?s(?:econds?)?\b)"), "N"),
)


@dataclass
class Walker:
    """One side of a pair on the way."""

    person: Person
    contact: str
    browser: Browser
    sent_at: float = 0.0
    reply: Reply | None = None

    @property
    def flow(self) -> str:
        return "/".join(self.browser.path.split("/")[:3])


Step = Callable[[Walker], Reply]


def _post(walker: Walker, name: str, path: str, fields: dict[str, str]) -> Reply:
    token = {"csrfmiddlewaretoken": walker.browser.cookies["sspr_csrf"]}
    return walker.browser.post(name, path, {**token, **fields})


def _start(walker: Walker) -> Reply:
    person = walker.person
    fields = {"user_id": person.user_id, "altcha": solved(person.place.host), "ticket": ""}
    return _post(walker, "post start", "/reset/", fields)


def _choose(walker: Walker) -> Reply:
    walker.sent_at = time.monotonic()
    fields = {"method": "email", "contact": walker.contact}
    return _post(walker, "choose", f"{walker.flow}/choose/", fields)


def _help(walker: Walker) -> Reply:
    person = walker.person
    fields = {"user_id": person.user_id, "altcha": solved(person.place.host), "ticket": ""}
    return _post(walker, "help", "/help/", {**fields, "note": "", "reference": ""})


def _get(path: str) -> Step:
    return lambda walker: walker.browser.get(path, walker.flow + path)


def _to(action: str, **fields: str) -> Step:
    return lambda walker: _post(walker, action, f"{walker.flow}/{action}/", dict(fields))


FIRST: dict[str, Step] = {
    "start page": lambda w: w.browser.get("start", f"/reset/?user_id={w.person.user_id}"),
    "start": _start,
    "first page": lambda w: w.browser.follow("first page"),
    "verify app code": _to("verify", code="000000"),
    "another way": _get("/?other=1"),
    "choose mail": _choose,
    "code page": _get("/"),
    "verify mailed code": _to("verify", code="000000"),
    "send too early": _to("send"),
    "page after that": _get("/"),
}
LATER: dict[str, Step] = {
    "send again": _to("send"),
    "help page": lambda w: w.browser.get("help", f"/help/?user_id={w.person.user_id}"),
    "help": _help,
}
STEPS = (*FIRST, *LATER)


@dataclass
class Seen:
    """What was seen of one contrast at one step: ms of one side and the other, and whether the
    answers were alike."""

    one: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)


Contrast = tuple[str, str]
Pair = tuple[Contrast, Walker, Walker]


@dataclass
class Crowd:
    """The people of a run: for each contrast as many pairs, spread over tenants."""

    pairs: list[tuple[Contrast, Person, Person]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    people: list[tuple[str, Person]] = field(default_factory=list)

    @classmethod
    def make(cls, pairs: int, a_tenant: int, prefix: str = "hidden") -> "Crowd":
        """`pairs` in all, at most `a_tenant` in each concealing tenant."""
        crowd = cls()
        while len(crowd.pairs) < pairs:
            place = make_place(f"{prefix}{len(crowd.places)}", concealed=True)
            crowd.places.append(place)
            count = min(a_tenant, pairs - len(crowd.pairs))
            crowd.pairs += _pairs_of(place, count, crowd.people, len(crowd.pairs))
        return crowd


def _pairs_of(
    place: Place, count: int, made: list[tuple[str, Person]], first: int
) -> list[tuple[Contrast, Person, Person]]:
    """`count` pairs in one tenant, of each contrast in turn."""
    which = [CONTRASTS[(first + number) % len(CONTRASTS)] for number in range(count)]
    wanted = Counter(kind for contrast in which for kind in contrast)
    people = {kind: make_people(place, kind, number) for kind, number in wanted.items()}
    made += [(kind, person) for kind, some in people.items() for person in some]
    return [(c, people[c[0]].pop(), people[c[1]].pop()) for c in which]


def measure(found: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    """Tables on the way; `passed` says whether every figure is inside its limits."""
    crowd = Crowd.make(chosen.pairs * len(CONTRASTS), chosen.pairs_a_tenant)
    sample = Crowd.make(2 * len(CONTRASTS), 2 * len(CONTRASTS), prefix="counted")
    env = product_env(found.cluster, DATABASE, found.post.url)
    # One thread: a second one would open its connection in the middle of what is counted.
    with Server(env, threads=1) as server, Connection(server.port) as connection:
        counts = _count(found, Walk(connection, chosen), sample)
    walk = Walk(connection, chosen)
    with Server(env, threads=2 * chosen.at_once) as server, Worker(env):
        _walk_all(server, walk, crowd, chosen.at_once)
        wait_for_quiet(found.cluster, DATABASE)
    messages = stray.messages(found, [crowd, sample])
    return report(walk.seen, counts, messages)


def _walk_all(server: Server, walk: "Walk", crowd: Crowd, at_once: int) -> None:
    """All pairs, some at once, each of them on a connection of its own; most of a step they wait
    for the beat."""

    def go(begin: int) -> None:
        with Connection(server.port) as connection:
            own = replace(walk, connection=connection)
            own.pairs(crowd.pairs[begin : begin + PAIRS_A_BATCH], begin)
        say(f"pairs from {begin} on walked, of {len(crowd.pairs)}")

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(go, range(0, len(crowd.pairs), PAIRS_A_BATCH)))


Counted = dict[tuple[Contrast, str], tuple[Counts, Counts]]


def _count(found: Stage, walk: "Walk", sample: Crowd) -> Counted:
    """Statements of both sides at every step, without a worker beside. The first pair of each
    contrast fills caches and is not counted."""
    counts: dict[tuple[Contrast, str], list[Counts]] = {}
    half = len(CONTRASTS)
    walk.pairs(sample.pairs[:half], 0)
    with Tally(found.cluster, DATABASE) as tally:

        def took(contrast: Contrast, step: str) -> None:
            taken = tally.take()
            if step in STEPS:
                counts.setdefault((contrast, step), []).append(taken)

        walk.counted = took
        walk.pairs(sample.pairs[half:], half, ordered=True)
    return {key: (both[0], both[1]) for key, both in counts.items()}


@dataclass
class Walk:
    """Walks pairs, and keeps what was seen."""

    connection: Connection
    chosen: argparse.Namespace
    seen: dict[tuple[Contrast, str], Seen] = field(default_factory=dict)
    counted: Callable[[Contrast, str], None] | None = None
    addresses: ClassVar[Iterator[int]] = iter(range(1, 2**24))

    def pairs(
        self,
        people: Sequence[tuple[Contrast, Person, Person]],
        first: int,
        *,
        ordered: bool = False,
    ) -> None:
        """The first steps of all these pairs, then for all of them those that have to wait."""
        pairs = [(c, self._walker(one), self._walker(other)) for c, one, other in people]
        for number, pair in enumerate(pairs, start=first):
            self._steps(FIRST, number, pair, ordered)
        wait = max(walker.sent_at for pair in pairs for walker in pair[1:]) + RESEND_AFTER
        time.sleep(max(0.0, wait - time.monotonic()))
        for host in {pair[1].person.place.host for pair in pairs}:
            # What is kept of a host's tenant was forgotten meanwhile, for whoever asks first.
            Browser(self.connection, host, address_of(0)).get("start", "/reset/")
        if self.counted is not None:
            self.counted(CONTRASTS[0], "what came between")
        for number, pair in enumerate(pairs, start=first):
            self._steps(LATER, number, pair, ordered)

    def _walker(self, person: Person) -> Walker:
        contact = "somebody@example.net" if self.chosen.wrong_contact else person.mailbox
        address = address_of(next(self.addresses))
        return Walker(person, contact, Browser(self.connection, person.place.host, address))

    def _steps(self, steps: Mapping[str, Step], number: int, pair: Pair, ordered: bool) -> None:
        contrast, one, other = pair
        for name, step in steps.items():
            kept = self.seen.setdefault((contrast, name), Seen())
            sides = [(one, kept.one), (other, kept.other)]
            if not ordered and _coin(self.chosen.seed, number, name):
                sides.reverse()
            for walker, times in sides:
                walker.reply = step(walker)
                times.append(walker.reply.seconds * 1000)
                if self.counted is not None:
                    self.counted(contrast, name)
            difference = unlike(one, other)
            if difference:
                kept.unlike.append(difference)


def _coin(seed: int, number: int, step: str) -> bool:
    return bool(hashlib.sha256(f"{seed} {number} {step}".encode()).digest()[0] & 1)


def unlike(one: Walker, other: Walker) -> str:
    """How two answers differ beside what differs for everybody; empty when they do not."""
    if one.reply is None or other.reply is None:
        return ""
    if one.reply.status != other.reply.status:
        return f"{one.reply.status} and {other.reply.status}"
    first, second = _plain(one), _plain(other)
    if first == second:
        return ""
    lines = zip(first.splitlines(), second.splitlines(), strict=False)
    return next((f"{a.strip()!r} and {b.strip()!r}" for a, b in lines if a != b), "length")


def _plain(walker: Walker) -> str:
    if walker.reply is None:
        return ""
    text = walker.reply.headers.get("location", "") + "\n" + walker.reply.text
    text = text.replace(walker.contact, "CONTACT").replace(walker.person.user_id, "WHO")
    for pattern, replacement in _CHANGING:
        text = pattern.sub(replacement, text)
    return text


def report(
    seen: Mapping[tuple[Contrast, str], Seen], counts: Counted, messages: Mapping[str, Any]
) -> dict[str, Any]:
    """What was found as tables and as JSON; `passed` when nothing tells anybody apart."""
    steps = [_step(key, kept, counts[key]) for key, kept in seen.items()]
    rows = [
        (
            step["one"],
            step["other"],
            step["step"],
            *step["p50_ms"],
            f"{step['auc']:.3f} ± {step['error']:.3f}",
            f"{step['ks']:.3f}",
            *step["statements"],
            "same" if step["same_statements"] else "OTHER",
            step["unlike"],
            "" if _is_fine(step) else "<<<" if step["judged"] else "lock told",
        )
        for step in steps
    ]
    head = ("one", "other", "step", "p50", "p50", "AUC", "KS", "SQL", "SQL", "texts", "unlike", "")
    table("Who is there?", head, rows)
    for step in steps:
        if step["example"]:
            say(f"  {step['one']} / {step['other']}, {step['step']}: {step['example']}")
    say(f"messages: {messages}")
    judged = [step for step in steps if step["judged"]]
    passed = all(map(_is_fine, judged)) and messages["to_addresses_not_on_file"] == 0
    return {"passed": passed, "steps": steps, "messages": messages}


def _step(key: tuple[Contrast, str], kept: Seen, counted: tuple[Counts, Counts]) -> dict[str, Any]:
    apart = separation(kept.one, kept.other)
    return {
        "one": key[0][0],
        "other": key[0][1],
        "step": key[1],
        "judged": _is_judged(*key),
        "pairs": len(kept.one),
        "p50_ms": [round(percentile(times, 0.5), 2) for times in (kept.one, kept.other)],
        "p95_ms": [round(percentile(times, 0.95), 2) for times in (kept.one, kept.other)],
        "auc": round(apart.auc, 4),
        "error": round(apart.error, 4),
        "ks": round(apart.ks, 4),
        "statements": [counts.statements for counts in counted],
        "same_statements": _texts(counted[0]) == _texts(counted[1]),
        "unlike": len(kept.unlike),
        "example": kept.unlike[0] if kept.unlike else "",
    }


def _is_judged(contrast: Contrast, step: str) -> bool:
    if contrast != ("locked", "able"):
        return True
    return STEPS.index(step) <= STEPS.index(LOCK_SHOWS_AFTER)


def _is_fine(step: Mapping[str, Any]) -> bool:
    return LEAST <= step["auc"] <= MOST and step["same_statements"] and not step["unlike"]


def _texts(found: Counts) -> dict[str, int]:
    """Statements by their text, without PostgreSQL's own checks of foreign keys."""
    return {text: calls for text, calls in found.calls.items() if kind_of(text) != "reference"}
