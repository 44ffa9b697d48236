"""PURE. When failed proofs look like guessing, and what follows (security rules 3.4).

A tenant's limit `failed_in_tenant` has two steps: a third of it raises suspicion, all of it
suspends the gates that are opened by a code we send. Codes of an app stay, so that a flood of
guesses never takes recovery away from everybody.
"""

from dataclasses import replace

from tenants.limits import Limit

SUSPICION_PART = 3
EASY_STARTS = 10


def suspicion(limit: Limit) -> Limit:
    """The step before suspension, as a limit on the same counter."""
    return replace(limit, count=max(1, limit.count // SUSPICION_PART))


def asks_for_more(starts: int, *, suspected: bool) -> bool:
    """Whether a start takes the harder captcha: for an account that was started often in a day,
    known or not, and for everybody while somebody seems to guess in the tenant."""
    return suspected or starts > EASY_STARTS


def is_suspended(failures: int, limit: Limit, *, sends: bool) -> bool:
    """Whether a gate is closed to everybody now; `sends` says that a code is sent for it. The
    last failure that is counted is one try more than the limit, as with limits that block."""
    return sends and failures > limit.count
