"""Where a journey stands: everything its next step is judged by, read with one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Subquery

from accounts.methods.base import MethodContext, Registration
from accounts.models import Session, User
from accounts.people import NOBODY, Belongings, belongings_from, belongings_rows
from tenants.models import Tenant
from tenants.statements import is_embedded
from tenants.together import Given, Reading
from tenants.versions import ATTRIBUTE, RowVersion
from writeback.policy_knowledge import synchronised_rows

from ..eligibility import Proof, next_proofs
from ..facts import Assessment, Situation, assess, read_situation
from ..models import Challenge, Flow, Gate
from .common import Handle, NoFlow, check_held


@dataclass(frozen=True)
class Standing:
    """A journey with everything needed to judge its next step.

    assessed: the assessment, where it was made already and no lock was part of it.
    """

    flow: Flow
    situation: Situation
    own: Belongings | None
    gates: tuple[Gate, ...]
    synchronised: bool
    assessed: Assessment | None = None

    @cached_property
    def assessment(self) -> Assessment:
        """What the person may do now, by the rules that hold now."""
        if self.assessed is not None:
            return self.assessed
        return assess(self.situation, self.own, synchronised=self.synchronised, site=self.flow.site)

    def method_context(self) -> MethodContext:
        return self.situation.method_context(self.flow.site, concealed=self.flow.concealed)

    @property
    def step(self) -> int:
        return len(self.gates) + 1

    @property
    def steps(self) -> int:
        """Gates in all. Until the first is passed a concealing tenant tells everybody its own."""
        if self.flow.concealed and not self.gates:
            return self.situation.rules.methods_required
        return max(self.flow.gates_required, len(self.gates))

    @property
    def person(self) -> User:
        """The person of a real journey. Raises NoFlow for a decoy, which never comes this far."""
        if self.flow.user is None:
            raise NoFlow
        return self.flow.user

    def registration(self, method: str) -> Registration | None:
        """What the person registered for the method, if it is usable in this journey."""
        found = self.assessment.registrations.get(method)
        usable = method in self.assessment.decision.methods
        return found if usable else None

    def open_registration(self, method: str) -> Registration | None:
        """The same, if a gate can still be passed with it beside those that were (R-11)."""
        return self.registration(method) if method in self._reachable else None

    def offered(self) -> tuple[str, ...]:
        """The methods that can come next, strongest first."""
        if self.flow.concealed:
            passed = {gate.method for gate in self.gates}
            return tuple(method for method in self.flow.methods if method not in passed)
        return self._reachable

    @cached_property
    def _reachable(self) -> tuple[str, ...]:
        """Methods from which the required number of independent gates can be reached."""
        proofs = [p for p in self.assessment.decision.proofs if p.method in self.flow.methods]
        done = [
            next((p for p in proofs if p.method == gate.method), Proof(gate.method, b""))
            for gate in self.gates
        ]
        by_kind = self.flow.policy == "administrator"
        found = next_proofs(proofs, done, self.flow.gates_required, by_kind=by_kind)
        return tuple(proof.method for proof in found)


_FILE = Reading(
    lambda: (
        *belongings_rows(user=Given("user")),
        Gate.objects.filter(flow=Given("flow")),
        synchronised_rows(),
        Session.objects.filter(user=Given("user")).only("pk"),
    )
)


def standing_of(flow: Flow, now: datetime, *, sessions: list[Session] | None = None) -> Standing:
    """Reads the person of a locked journey as they are now; for nobody it costs as much.

    sessions: the list that takes the person's open sessions.
    """
    given = {"user": flow.user_id or NOBODY, "flow": flow.pk}
    *belongings, gates, synchronised, open_sessions = _FILE.rows(**given)
    if sessions is not None:
        sessions += open_sessions
    own = belongings_from(flow.user, *belongings) if flow.user else None
    situation = read_situation(now, flow.tenant)
    return Standing(flow, situation, own, _in_order(gates), bool(synchronised))


def _journey() -> Sequence[QuerySet[Any]]:
    flows: QuerySet[Any] = Flow.objects.filter(pk=Given("flow"))
    # One value, found first: as a list PostgreSQL may join it the wrong way round.
    person = Subquery(flows.values("user"))
    versioned = flows if is_embedded() else flows.annotate(**{ATTRIBUTE: RowVersion()})
    return (
        versioned,
        Tenant.objects.all(),
        User.objects.filter(pk=person),
        *belongings_rows(user=person),
        Gate.objects.filter(flow=Given("flow")),
        Challenge.objects.filter(flow=Given("flow"), dead=False, used_at=None),
        synchronised_rows(),
    )


_JOURNEY = Reading(_journey)


def read_standing(handle: Handle, now: datetime) -> tuple[Standing, Challenge | None]:
    """The same without a lock, with the proof that is waited for and, on PostgreSQL, the version
    of the journey's row. Raises NoFlow.

    Works in `tenant_reading` too.
    """
    standing, challenge = _found(handle.flow, now)
    if standing is None:
        raise NoFlow
    check_held(standing.flow, handle)
    return standing, challenge


def find_standing(flow: UUID, now: datetime) -> Standing | None:
    """The journey and its person as they are now, for somebody who is not its holder."""
    return _found(flow, now)[0]


def _found(flow_id: UUID, now: datetime) -> tuple[Standing | None, Challenge | None]:
    found, tenants, users, *belongings, gates, challenges, synchronised = _JOURNEY.rows(
        flow=flow_id
    )
    if not (found and tenants):
        return None, None
    flow: Flow = found[0]
    flow.tenant, flow.user = tenants[0], next(iter(users), None)
    own = belongings_from(flow.user, *belongings) if flow.user else None
    situation = read_situation(now, flow.tenant)
    standing = Standing(flow, situation, own, _in_order(gates), bool(synchronised))
    return standing, _wait_for(flow, challenges)


def _wait_for(flow: Any, challenges: list[Challenge]) -> Challenge | None:
    """The proof that the journey waits for, which the row gets to know."""
    flow.pending = max(challenges, key=lambda row: row.created_at, default=None)
    found: Challenge | None = flow.pending
    return found


def _in_order(gates: list[Gate]) -> tuple[Gate, ...]:
    return tuple(sorted(gates, key=lambda gate: gate.step))
