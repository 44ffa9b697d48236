"""PURE. Could this person help themselves tomorrow, and what would have to be added?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tenants.policy import STRONGEST_FIRST

from .eligibility import (
    NOT_ENOUGH_METHODS,
    Decision,
    PersonFacts,
    Proof,
    TenantFacts,
    Unusable,
    count_independent,
    find_unusable,
    terms_of,
    usable_proofs,
)

_ELSEWHERE = frozenset({"partner", "personal"})


@dataclass(frozen=True)
class Advice:
    """allowed: methods the policy that holds for the person counts, strongest first. missing: how
    many more it takes, 0 where methods are not what is missing. suggestions: what would bring them
    nearer, strongest first. unusable: registered methods that do not count, and why.
    """

    allowed: tuple[str, ...] = ()
    missing: int = 0
    suggestions: tuple[str, ...] = ()
    unusable: Mapping[str, Unusable] = field(default_factory=dict)


def advise(
    tenant: TenantFacts, person: PersonFacts, decision: Decision, registrable: Iterable[str]
) -> Advice:
    """What this person can do so that they can reset. `registrable` are methods one can add.

    Whose account lives elsewhere registers nothing here.
    """
    if person.origin in _ELSEWHERE:
        return Advice()
    terms = terms_of(tenant, person)
    allowed = tuple(method for method in STRONGEST_FIRST if method in terms.methods)
    causes = {
        proof.method: find_unusable(
            proof, allowed, terms.gates_required, voice=tenant.granted.voice
        )
        for proof in person.proofs
    }
    lacking = decision.reason == NOT_ENOUGH_METHODS
    by_kind = terms.policy == "administrator"
    return Advice(
        allowed=allowed,
        missing=decision.gates_required - decision.counted if lacking else 0,
        suggestions=tuple(
            method
            for method in allowed
            if method in registrable and _helps(tenant, person, method, by_kind=by_kind)
        ),
        unusable={method: cause for method, cause in causes.items() if cause is not None},
    )


def _helps(tenant: TenantFacts, person: PersonFacts, method: str, *, by_kind: bool) -> bool:
    """Whether one more of this method counts beside what is registered."""
    gates = terms_of(tenant, person).gates_required
    fresh = Proof(method, b"new " + method.encode())
    kept = [proof for proof in person.proofs if proof.method != method]
    before, _ = usable_proofs(tenant, person, terms_of(tenant, person).methods, gates)
    after, _ = usable_proofs(
        tenant,
        replace(person, proofs=(*kept, fresh)),
        terms_of(tenant, person).methods,
        gates,
    )
    return count_independent(after, by_kind=by_kind) > count_independent(before, by_kind=by_kind)
