"""PURE. What each plan includes (Entra, licensing). Restricts decisions, never saved policies."""

from dataclasses import dataclass
from datetime import date
from functools import cache

PLANS = ("free", "business_standard", "business_premium", "p1", "p2")
TRIAL_DAYS = 30


@dataclass(frozen=True)
class Entitlements:
    """What a tenant may use today.

    change: cloud people may change a known password. reset: people without an administrator's role
    may reset a forgotten one. writeback: passwords of the organisation's own directory.
    unlock: unlocking without a new password. voice: calls, to office phones too.
    """

    change: bool
    reset: bool
    writeback: bool
    unlock: bool
    global_banned: bool
    global_banned_synced: bool
    custom_banned: bool
    custom_lockout: bool
    reports: bool
    voice: bool


_PREMIUM = Entitlements(
    change=True,
    reset=True,
    writeback=True,
    unlock=True,
    global_banned=True,
    global_banned_synced=True,
    custom_banned=True,
    custom_lockout=True,
    reports=True,
    voice=True,
)


def _limited(*, reset: bool, voice: bool) -> Entitlements:
    return Entitlements(
        change=True,
        reset=reset,
        writeback=False,
        unlock=False,
        global_banned=True,
        global_banned_synced=False,
        custom_banned=False,
        custom_lockout=False,
        reports=False,
        voice=voice,
    )


_BY_PLAN = {
    "free": _limited(reset=False, voice=False),
    "business_standard": _limited(reset=True, voice=True),
    "business_premium": _PREMIUM,
    "p1": _PREMIUM,
    "p2": _PREMIUM,
}


@cache
def entitlements(plan: str, *, trial: bool) -> Entitlements:
    """What `plan` includes; a trial subscription has no voice calls. Raises KeyError."""
    granted = _BY_PLAN[plan]
    if not trial:
        return granted
    return Entitlements(**{**granted.__dict__, "voice": False})


def in_first_trial_days(trial_started: date | None, today: date) -> bool:
    """Whether fewer than 30 days of a trial subscription have gone by."""
    return trial_started is not None and (today - trial_started).days < TRIAL_DAYS


def trial_days_over(trial_started: date | None, today: date) -> bool:
    """Whether 30 days of a trial subscription have gone by."""
    return trial_started is not None and not in_first_trial_days(trial_started, today)
