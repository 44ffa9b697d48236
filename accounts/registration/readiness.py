"""Could the person reset their own password? The app that decides it says so when it starts, as
others say what they know about policies; these pages ask without importing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..people import Belongings


@dataclass(frozen=True)
class Readiness:
    """able: whether a reset would be allowed now. reason: why not, a code.

    policy: whose policy holds (tenant, administrator, home_tenant). elsewhere: the account lives
    with somebody else, so nothing is registered here. gates_required, counted, missing: how many
    proofs it takes, there are, and are lacking (0 where something else is the reason). allowed:
    methods the policy counts, strongest first. usable: registered ones that count. suggestions:
    what to add, strongest first. unusable: registered ones that do not count → why (not_allowed,
    own_domain, one_gate, no_calls).
    """

    able: bool = False
    reason: str | None = None
    policy: str = "tenant"
    elsewhere: bool = False
    gates_required: int = 0
    counted: int = 0
    missing: int = 0
    allowed: tuple[str, ...] = ()
    usable: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    unusable: Mapping[str, str] = field(default_factory=dict)


def _nobody(own: Belongings, now: datetime, site: str) -> Readiness:
    return Readiness()


@dataclass
class Knowledge:
    """readiness_of: how ready the owner of these belongings is, in the tenant in force."""

    readiness_of: Callable[[Belongings, datetime, str], Readiness] = _nobody


KNOWN = Knowledge()


def readiness_of(own: Belongings, now: datetime, site: str = "") -> Readiness:
    """How ready this person is. `site`: the web origin they are on."""
    return KNOWN.readiness_of(own, now, site)
