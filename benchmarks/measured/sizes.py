"""One database for each size, the same work in each of them (P8, P17–P21)."""

import argparse
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.utils import timezone

from accounts.models import ContactPoint, User
from accounts.people import guest_lookup
from benchmarks.harness.counts import Counts
from benchmarks.harness.fill import Size, fill
from benchmarks.harness.output import as_json, say, table
from benchmarks.harness.people import Person, Place, make_administrator, make_people, make_place
from benchmarks.harness.stage import DATABASE, Stage
from benchmarks.harness.stats import is_noisy, ratios, spread
from benchmarks.harness.wire import Connection
from benchmarks.measured import desk, lookups, whole
from benchmarks.measured.plans import Plans, watched
from benchmarks.measured.variants import OUR_VARIANT, Ground, running
from tenants.context import tenant_context
from tenants.keys import forget_keys
from tenants.models import AuditEvent, Subscription

RARE = "Zyxwvutov"
GUEST = "guest@elsewhere.example"
PLACES = ("small tenant", "giant tenant")
PARTS = ("server", "worker", "database")
Figures = dict[str, list[float]]


@dataclass
class Filled:
    """One size: its database, and for each of PLACES the people to measure with."""

    size: Size
    database: str
    grounds: dict[str, Ground]
    administrators: dict[str, Person]
    seconds: float = 0.0


def measure(found: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    counts = sorted(int(text) for text in chosen.people.split(","))
    filled = [_fill(found, chosen, people, counts[-1]) for people in counts]
    figures: dict[tuple[int, str], Figures] = defaultdict(lambda: defaultdict(list))
    for number in range(chosen.rounds):
        for place in PLACES:
            # What is compared is measured one right after the other.
            for one in filled:
                _round(found, one, place, chosen, figures[one.size.people, place])
        say(f"growth, round {number + 1} of {chosen.rounds} done")
    plans, statements = {}, {}
    for one in filled:
        for place in PLACES:
            key = f"{one.size.people}, {place}"
            seen, statements[key] = _judged(found, one, place)
            plans[key] = {"seen": seen.seen, "faults": seen.faults}
    return _report(filled, figures, plans, statements, found)


def use(database: str) -> None:
    """From now on this process works in another database of the cluster."""
    connections.close_all()
    connections.settings["default"]["NAME"] = database
    connections["default"].settings_dict["NAME"] = database
    forget_keys()


def _fill(found: Stage, chosen: argparse.Namespace, people: int, most: int) -> Filled:
    """Probes by the product's own code, then everybody else around them."""
    size = Size(people, max(1, people // 100), max(100, chosen.events * people // most))
    database = f"size{people}"
    began = time.monotonic()
    say(f"filling {database}: {size}")
    use(DATABASE)
    connections.close_all()
    found.cluster.create(database, template=DATABASE)
    use(database)
    wanted = chosen.rounds * (chosen.flows + chosen.warm) + 40
    places = [make_place(f"small{people}"), make_place(f"giant{people}")]
    grounds, administrators = {}, {}
    for name, place in zip(PLACES, places, strict=True):
        grounds[name] = Ground(found.cluster, found.post, database)
        grounds[name].adopt([place], make_people(place, "able", wanted))
        administrators[name] = make_administrator(place)
        _probe(place)
    _walk_once(found, grounds)
    with found.cluster.hurried(), found.cluster.connect(database) as connection:
        fill(connection, size, *places)
    seconds = time.monotonic() - began
    say(f"  {found.cluster.size(database) / 2**30:.2f} GiB in {seconds:.0f} s")
    return Filled(size, database, grounds, administrators, seconds)


def _probe(place: Place) -> None:
    """Somebody with a rare name, and a guest."""
    with tenant_context(place.tenant):
        licence = Subscription.objects.get()
        User.objects.create(
            user_id=f"rare@{place.domain}",
            display_name=f"Able {RARE}",
            given_name="Able",
            surname=RARE,
            licence=licence,
        )
        guest = User(user_id=f"guest#ext#@{place.domain}", kind=User.Kind.GUEST, licence=licence)
        guest.origin = User.Origin.INVITATION
        guest.guest_lookup = guest_lookup(GUEST)
        guest.save()
        row = ContactPoint(user=guest, kind="alternate_email", confirmed_at=timezone.now())
        row.write(GUEST, GUEST)
        row.save()


def _walk_once(found: Stage, grounds: Mapping[str, Ground]) -> None:
    """A real reset in each place: what fills the database is copied from its rows."""
    for ground in grounds.values():
        with running(ground, OUR_VARIANT) as run, Connection(run.server.port) as connection:
            _walk_to_the_end(ground, connection)


def _round(
    found: Stage, one: Filled, place: str, chosen: argparse.Namespace, figures: Figures
) -> None:
    """Flow, look-ups and pages of one size in one place."""
    use(one.database)
    ground = one.grounds[place]
    with running(ground, OUR_VARIANT) as run:
        whole.warm(ground, run, chosen.warm)
        sample = whole.sample(ground, run, chosen.flows)
        figures["flow"].append(sample.total)
        for part in PARTS:
            figures[f"of it the {part}"].append(getattr(sample, part))
        if run.worker is not None:
            run.worker.stop()
        with Connection(run.server.port) as connection:
            browser = desk.sign_in(connection, one.administrators[place])
            pages = desk.pages(_marks(ground))
            spent = desk.costs(
                browser, pages, chosen.times, run.server.pid, found.cluster.postmaster
            )
    person = _somebody(ground)
    spent |= lookups.costs(person, GUEST, found.cluster.postmaster)
    for name, value in spent.items():
        figures[name].append(value)


def _somebody(ground: Ground) -> Person:
    return ground.people[0]


def _marks(ground: Ground) -> desk.Marks:
    """Places in the middle of the lists of this tenant."""
    from notifications.models import Message
    from resets.models import Flow

    with tenant_context(ground.places[0].tenant):
        reference = Flow.objects.filter(state="done").latest("started_at").reference
        middle = [_middle(model) for model in (AuditEvent, Message)]
    return desk.Marks(RARE, reference, *middle)


def _middle(model: Any) -> str:
    """A row in the middle of the time that is covered, as the pages write it."""
    first = model.objects.order_by("created_at").values_list("created_at", flat=True)[0]
    last = model.objects.order_by("-created_at").values_list("created_at", flat=True)[0]
    row = (
        model.objects.filter(created_at__gte=first + (last - first) / 2)
        .order_by("created_at", "id")
        .values_list("created_at", "id")[0]
    )
    return f"{int(row[0].timestamp()) * 1_000_000 + row[0].microsecond}~{row[1].hex}"


def _judged(found: Stage, one: Filled, place: str) -> tuple[Plans, list[tuple[str, Counts]]]:
    """The plans of a flow, of the pages and of the look-ups, and the flow's statements.

    The flow's also as they are kept: its constants stand in its statements. The pages carry them as
    values, and PostgreSQL goes on planning for these.
    """
    use(one.database)
    ground = one.grounds[place]
    counted = whole.count(ground, OUR_VARIANT)
    connections.close_all()
    with (
        watched(found.cluster, one.database, kept=True) as kept,
        running(ground, OUR_VARIANT) as run,
        Connection(run.server.port) as connection,
    ):
        _walk_to_the_end(ground, connection)
    with watched(found.cluster, one.database) as plans:
        with running(ground, OUR_VARIANT) as run, Connection(run.server.port) as connection:
            _walk_to_the_end(ground, connection)
            browser = desk.sign_in(connection, one.administrators[place])
            for path in desk.pages(_marks(ground)).values():
                browser.get("", f"/admin/{path}")
        for look in lookups.lookups(_somebody(ground), GUEST).values():
            look()
        connections.close_all()
    return Plans(kept.seen + plans.seen, {**kept.faults, **plans.faults}), counted


def _walk_to_the_end(ground: Ground, connection: Connection) -> None:
    whole.walk(ground, OUR_VARIANT, connection)
    whole.settle(ground, OUR_VARIANT)


def _report(
    filled: list[Filled],
    figures: Mapping[tuple[int, str], Figures],
    plans: Mapping[str, Any],
    statements: Mapping[str, list[tuple[str, Counts]]],
    found: Stage,
) -> dict[str, Any]:
    result = _work(filled, figures)
    for key, judged in plans.items():
        say(f"plans, {key}: {judged['seen']} seen")
        for fault, statement in judged["faults"].items():
            say(f"  {fault}: {statement[:300]}")
    return {
        "noisy": any(is_noisy(figures[filled[0].size.people, place]["flow"]) for place in PLACES),
        "sizes": {
            str(one.size.people): {
                "tenants": one.size.tenants,
                "events": one.size.events,
                "gib": round(found.cluster.size(one.database) / 2**30, 2),
                "filled_in_s": round(one.seconds),
            }
            for one in filled
        },
        "work": result,
        "plans": plans,
        "statements_of_a_flow": {
            key: sum((c for step, c in rows if step != "worker"), Counts()).as_json()
            for key, rows in statements.items()
        },
    }


def _work(
    filled: list[Filled], figures: Mapping[tuple[int, str], Figures]
) -> dict[str, dict[str, Any]]:
    """What each work cost at each size, for each place."""
    least = filled[0].size.people
    result: dict[str, dict[str, Any]] = {}
    for place in PLACES:
        rows = []
        for name, base in figures[least, place].items():
            row: dict[str, Any] = {}
            for one in filled:
                values = figures[one.size.people, place].get(name, [])
                if len(values) == len(base):
                    row[str(one.size.people)] = {
                        "ms": as_json(spread(values)),
                        "ratio": as_json(ratios(values, base)),
                    }
            result.setdefault(place, {})[name] = row
            cells = [row.get(str(one.size.people)) for one in filled]
            rows.append((name, *(_cell(cell) for cell in cells)))
        heads = [f"{one.size.people} people" for one in filled]
        table(f"From inside a {place}: CPU ms, ratio to {least}", ("work", *heads), rows)
    return result


def _cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "–"
    return f"{cell['ms']['middle']:.2f} ({cell['ratio']['middle']:.2f} ×)"
