"""PURE. When a password is too old (Entra, password rules: none by default, settable)."""

from datetime import datetime, timedelta

LONGEST_AGE = 730
"""Days; 0 means that passwords never get too old."""


def expires_at(changed_at: datetime, max_age_days: int) -> datetime | None:
    """When a password that was set at `changed_at` has to be changed; nothing for never."""
    return changed_at + timedelta(days=max_age_days) if max_age_days > 0 else None


def is_expired(changed_at: datetime, max_age_days: int, now: datetime) -> bool:
    """Whether it has to be changed before anything else. Switching the rule on makes every older
    password due at once."""
    end = expires_at(changed_at, max_age_days)
    return end is not None and now >= end
