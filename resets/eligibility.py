"""PURE. May this person reset now, with which proofs, and how many of them?

One function decides for the portal, for the re-check at the end of a journey and for the
administrator's "what would happen". The order of the checks is Entra's.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import combinations
from typing import Literal

from tenants.licensing import Entitlements, entitlements
from tenants.policy import (
    AUTHENTICATOR_METHODS,
    QUESTIONS,
    STRONGEST_FIRST,
    PolicyRules,
    find_administrator_policy,
)
from writeback.health import ANSWERING

TENANT_OFF = "SSPR_0009"
WRITEBACK_OFF = "SSPR_0010"
NO_POLICY = "SSPR_0011"
NOT_LICENSED = "SSPR_0012"
OUTSIDE_GROUP = "SSPR_0013"
NOT_ENOUGH_METHODS = "SSPR_0014"
DIRECTORY_NEEDS_ADMIN = "SSPR_0029"
DIRECTORY_UNREACHABLE = "SSPR_0030"
UNKNOWN_USER = "unknown_user"
DISABLED = "disabled"
LOCKED_OUT = "locked_out"
PERSONAL_ACCOUNT = "personal_account"
HOME_TENANT = "home_tenant"
ADMINS_MAY_NOT_RESET = "admins_may_not_reset"

CONTACT_ADMINISTRATOR = "contact_administrator"
_NEXT_STEPS = {
    LOCKED_OUT: "wait",
    DIRECTORY_UNREACHABLE: "try_later",
    PERSONAL_ACCOUNT: "use_own_service",
}

Unusable = Literal["not_allowed", "own_domain", "one_gate", "no_calls"]
_NOTES: dict[Unusable, str] = {
    "not_allowed": "registered, but the policy that holds does not allow it.",
    "own_domain": (
        "the mailbox is in the organisation's own domain, behind the forgotten password."
    ),
    "one_gate": "a notification counts only when two methods are required.",
    "no_calls": "calls need a paid plan that is not a trial.",
}
UNREACHABLE_STATES = frozenset({"disconnected", "service_fault"})


@dataclass(frozen=True)
class Proof:
    """One registered way to prove oneself.

    `anchor` is what it hangs on (a number, a mailbox, a device): two gates need two anchors.
    `in_own_domain` marks a mailbox that opens with the forgotten password.
    """

    method: str
    anchor: bytes
    channels: tuple[str, ...] = ()
    in_own_domain: bool = False


@dataclass(frozen=True)
class TenantFacts:
    """What is true of the tenant. `policy` is nothing when none was defined."""

    policy: PolicyRules | None
    plan: str
    trial_started: date | None
    today: date
    custom_domain: bool
    synchronised: bool
    writeback_state: str

    @property
    def granted(self) -> Entitlements:
        return entitlements(self.plan, trial=self.trial_started is not None)


@dataclass(frozen=True)
class PersonFacts:
    """What is true of the person; `known` false means that nobody has this user ID."""

    known: bool = True
    enabled: bool = True
    kind: str = "member"
    origin: str = ""
    source: str = "cloud"
    licensed: bool = True
    in_group: bool = False
    roles: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()
    locked_until: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """The answer. `reason` is nothing exactly when `allowed`.

    `proofs` are usable under the policy that holds, strongest first; `counted` is how many
    independent gates they make.
    """

    known: bool
    allowed: bool
    reason: str | None
    operations: tuple[str, ...] = ()
    gates_required: int = 0
    policy: str = "tenant"
    proofs: tuple[Proof, ...] = ()
    registered: tuple[str, ...] = ()
    counted: int = 0
    writeback: str | None = None
    notes: tuple[str, ...] = ()
    until: datetime | None = None
    home_reason: str | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(proof.method for proof in self.proofs)

    @property
    def next_step(self) -> str:
        if self.reason is None:
            return "prove_identity"
        return _NEXT_STEPS.get(self.reason, CONTACT_ADMINISTRATOR)


@dataclass(frozen=True)
class Terms:
    """Whose policy holds for a person, and what it asks."""

    policy: str
    gates_required: int
    methods: tuple[str, ...]


def decide(tenant: TenantFacts, person: PersonFacts, home: Decision | None = None) -> Decision:
    """Whether the person may reset. `home` is the home tenant's decision for a partner guest."""
    if not person.known:
        return Decision(known=False, allowed=False, reason=UNKNOWN_USER)
    if person.origin == "personal":
        return Decision(known=True, allowed=False, reason=PERSONAL_ACCOUNT)
    if person.origin == "partner":
        return _home_decision(home)
    terms = terms_of(tenant, person)
    proofs, notes = usable_proofs(tenant, person, terms.methods, terms.gates_required)
    by_kind = terms.policy == "administrator"
    counted = count_independent(proofs, by_kind=by_kind)
    if terms.policy == "guest":
        terms = replace(
            terms, policy="tenant", gates_required=max(1, min(terms.gates_required, counted))
        )
    reason = (
        _person_reason(person)
        or _scope_reason(tenant, person, terms)
        or (NOT_ENOUGH_METHODS if counted < terms.gates_required else None)
        or directory_reason(tenant, person)
    )
    return Decision(
        known=True,
        allowed=reason is None,
        reason=reason,
        operations=_operations(tenant, person) if reason is None else (),
        gates_required=terms.gates_required,
        policy=terms.policy,
        proofs=proofs,
        registered=tuple(dict.fromkeys(proof.method for proof in _ordered(person.proofs))),
        counted=counted,
        writeback=tenant.writeback_state if person.source != "cloud" else None,
        notes=(*notes, *_plan_notes(tenant, person)),
        until=person.locked_until if reason == LOCKED_OUT else None,
    )


def _home_decision(home: Decision | None) -> Decision:
    if home is None:
        return Decision(known=True, allowed=False, reason=HOME_TENANT, policy=HOME_TENANT)
    reason = None if home.allowed else HOME_TENANT
    return replace(home, known=True, reason=reason, policy=HOME_TENANT, home_reason=home.reason)


def terms_of(tenant: TenantFacts, person: PersonFacts) -> Terms:
    rules = tenant.policy or PolicyRules()
    administrator = find_administrator_policy(
        person.roles,
        trial_started=tenant.trial_started,
        today=tenant.today,
        custom_domain=tenant.custom_domain,
        synchronised=tenant.synchronised,
    )
    if administrator is not None:
        return Terms("administrator", administrator.gates_required, administrator.methods)
    if person.kind == "guest":
        # A guest proves the registered mailbox, whatever else the tenant offers (Entra, B2B).
        return Terms("guest", rules.methods_required, ("email", *rules.methods))
    return Terms("tenant", rules.methods_required, rules.methods)


def _person_reason(person: PersonFacts) -> str | None:
    if not person.enabled:
        return DISABLED
    if person.locked_until is not None:
        return LOCKED_OUT
    return None


def _scope_reason(tenant: TenantFacts, person: PersonFacts, terms: Terms) -> str | None:
    rules = tenant.policy
    if terms.policy == "administrator":
        may = rules is None or rules.admins_may_reset
        return None if may else ADMINS_MAY_NOT_RESET
    if rules is None or (rules.enabled == "selected" and not rules.group):
        return NO_POLICY
    if rules.enabled == "none":
        return TENANT_OFF
    needs_licence = rules.require_licence and person.kind != "guest"
    if not tenant.granted.reset or (needs_licence and not person.licensed):
        return NOT_LICENSED
    if rules.enabled == "selected" and not person.in_group:
        return OUTSIDE_GROUP
    return None


def directory_reason(tenant: TenantFacts, person: PersonFacts) -> str | None:
    """Why a password can't be written to the person's directory now."""
    if person.source == "cloud":
        return None
    if tenant.policy is None or not tenant.policy.writeback or not tenant.granted.writeback:
        return WRITEBACK_OFF
    if tenant.writeback_state in ANSWERING:
        return None
    if tenant.writeback_state in UNREACHABLE_STATES:
        return DIRECTORY_UNREACHABLE
    return DIRECTORY_NEEDS_ADMIN


def _operations(tenant: TenantFacts, person: PersonFacts) -> tuple[str, ...]:
    rules = tenant.policy
    may_unlock = (
        person.source != "cloud"
        and rules is not None
        and rules.unlock_without_reset
        and tenant.granted.unlock
    )
    return ("reset", "unlock") if may_unlock else ("reset",)


def _plan_notes(tenant: TenantFacts, person: PersonFacts) -> Sequence[str]:
    rules = tenant.policy
    wanted = person.source != "cloud" and rules is not None and rules.writeback
    if wanted and not tenant.granted.writeback:
        return ["The plan does not include writing passwords back to a directory."]
    return []


def usable_proofs(
    tenant: TenantFacts, person: PersonFacts, methods: Iterable[str], gates_required: int
) -> tuple[tuple[Proof, ...], tuple[str, ...]]:
    """The registered proofs that count under `methods`, strongest first, and why others do not."""
    enabled = set(methods)
    usable: list[Proof] = []
    notes: list[str] = []
    for proof in _ordered(person.proofs):
        cause = find_unusable(proof, enabled, gates_required, voice=tenant.granted.voice)
        if cause is not None:
            notes.append(f"{proof.method}: {_NOTES[cause]}")
            continue
        usable.append(proof if tenant.granted.voice else _without_calls(proof))
    return tuple(usable), tuple(notes)


def _without_calls(proof: Proof) -> Proof:
    if "voice" not in proof.channels:
        return proof
    return replace(proof, channels=tuple(each for each in proof.channels if each != "voice"))


def find_unusable(
    proof: Proof, enabled: Collection[str], gates: int, *, voice: bool
) -> Unusable | None:
    """Why a registered proof does not count; nothing where it does."""
    if proof.method not in enabled:
        return "not_allowed"
    if proof.in_own_domain:
        return "own_domain"
    if proof.method == "app_notification" and gates < 2:
        return "one_gate"
    if proof.method == "office_phone" and not voice:
        return "no_calls"
    return None


def _ordered(proofs: Iterable[Proof]) -> list[Proof]:
    return sorted(proofs, key=lambda proof: STRONGEST_FIRST.index(proof.method))


def _piece(proof: Proof, *, by_kind: bool) -> object:
    """What a proof is counted as: an authenticator app is one piece, whatever it answers with.

    For administrators a phone is one piece too, however many numbers there are.
    """
    if proof.method in AUTHENTICATOR_METHODS:
        return "authenticator"
    if by_kind and proof.method in {"mobile_phone", "office_phone"}:
        return "phone"
    return proof.anchor


def independent(proofs: Sequence[Proof], *, by_kind: bool = False) -> bool:
    """Whether these proofs may stand together as gates (R-11).

    Every one hangs on something else, and security questions have another proof beside them that
    is more than a mailbox.
    """
    pieces = {_piece(proof, by_kind=by_kind) for proof in proofs}
    anchors = {proof.anchor for proof in proofs}
    if len(pieces) < len(proofs) or len(anchors) < len(proofs):
        return False
    methods = {proof.method for proof in proofs}
    return QUESTIONS not in methods or bool(methods - {QUESTIONS, "email"})


def count_independent(proofs: Sequence[Proof], *, by_kind: bool = False) -> int:
    """The most gates these proofs can make together."""
    for size in range(len(proofs), 0, -1):
        if any(independent(some, by_kind=by_kind) for some in combinations(proofs, size)):
            return size
    return 0


def next_proofs(
    proofs: Sequence[Proof], passed: Sequence[Proof], gates_required: int, *, by_kind: bool = False
) -> tuple[Proof, ...]:
    """Which proofs can come next: those from which the required number can still be reached."""
    missing = gates_required - len(passed)
    rest = [proof for proof in proofs if proof not in passed]
    found = []
    for proof in rest if missing > 0 else ():
        others = [other for other in rest if other is not proof]
        if any(
            independent((*passed, proof, *more), by_kind=by_kind)
            for more in combinations(others, missing - 1)
        ):
            found.append(proof)
    return tuple(found)
