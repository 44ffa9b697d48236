"""What people are told: one entry a kind, with its channels, its facts and its patience."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

EMAIL, SMS, VOICE, PUSH, NONE = "email", "sms", "voice", "push", "none"

CODE_LIFETIME = timedelta(minutes=5)
"""A code is valid for five minutes (Entra, session and codes) and never delivered afterwards."""
NOTICE_HORIZON = timedelta(hours=72)
"""A notice is tried for three days, then it has failed."""
LONGEST_WAIT = timedelta(hours=1)
LONGER_FACTS = {"words": 2000, "people": 8000}
"""Facts that may have more characters than others."""


@dataclass(frozen=True)
class Kind:
    """One kind of message. `facts` are the only names a caller may put into its context."""

    key: str
    channels: tuple[str, ...]
    facts: frozenset[str]
    carries_code: bool
    lifetime: timedelta
    first_wait: timedelta

    def template(self, part: str) -> str:
        """The template of a part: `subject.txt`, `txt`, `html`, or `txt` after a short channel."""
        return f"mail/{self.key}.{part}"

    def wait(self, attempts: int) -> timedelta:
        """How long to wait after so many failed attempts: doubling, at most an hour."""
        doublings = min(attempts - 1, 12)
        return min(self.first_wait * (1 << doublings), LONGEST_WAIT)


def _notice(key: str, *facts: str) -> Kind:
    return Kind(
        key,
        (EMAIL,),
        frozenset({"when", "name", *facts}),
        carries_code=False,
        lifetime=NOTICE_HORIZON,
        first_wait=timedelta(seconds=30),
    )


_CODE = Kind(
    "code",
    (EMAIL, SMS, VOICE),
    # Neither a name nor a user ID.
    frozenset({"host"}),
    carries_code=True,
    lifetime=CODE_LIFETIME,
    first_wait=timedelta(seconds=5),
)

_PASSWORD_ENDS = Kind(
    "password_ends_soon",
    (EMAIL, SMS),
    frozenset({"when", "name", "until", "days", "change_url", "reset_url", "words"}),
    carries_code=False,
    lifetime=NOTICE_HORIZON,
    first_wait=timedelta(seconds=30),
)

_APPROVAL = Kind(
    "approval",
    (PUSH,),
    # Only that something waits: the screen of a locked phone is read by anybody.
    frozenset(),
    carries_code=False,
    lifetime=CODE_LIFETIME,
    first_wait=timedelta(seconds=5),
)


def _by_key(kinds: Iterable[Kind]) -> dict[str, Kind]:
    return {kind.key: kind for kind in kinds}


KINDS = _by_key(
    (
        _CODE,
        _notice("password_changed", "not_me_url"),
        _notice("password_in_doubt", "not_me_url"),
        _notice("account_unlocked", "not_me_url"),
        _notice("password_reset_by_administrator"),
        _notice("administrator_reset", "user_id"),
        _notice("account_frozen"),
        _notice("help_request", "user_id", "note"),
        _notice("unregistered_hint", "register_url"),
        _notice("blocked_notice", "until"),
        _notice("guest_invited", "accept_url", "until"),
        _notice("guest_sign_up", "accept_url", "until"),
        _notice("guest_known", "sign_in_url", "reset_url"),
        _notice("method_changed", "method", "what", "not_me_url", "undo_url"),
        _notice(
            "contact_changed",
            "primary_email",
            "alternate_email",
            "mobile_phone",
            "office_phone",
        ),
        _notice("backup_codes_low", "count"),
        _notice("pass_issued", "until"),
        _notice("approval_request", "user_id", "until", "approve_url"),
        _notice("registration_required"),
        _notice("passkey_refused", "passkey"),
        _notice("methods_enabled"),
        _notice("sessions_ended"),
        _notice("directory_state", "directory", "state", "directory_url"),
        _APPROVAL,
        _notice("approval_reported", "until"),
        _PASSWORD_ENDS,
        _notice("passwords_end_soon", "count", "people", "more"),
        _notice("drill_failed", "connector", "step", "cause"),
    )
)
"""Every kind. `name` is the display name of the person it is about, `when` the moment it happened
and `until` the moment a block ends (ISO 8601 with zone), `note` what a person wrote. Of
`contact_changed` the others are flags: what was changed. `method` is a key of the policy, `what`
one of registered, changed, removed, undone; `count` how many are left; `passkey` what a
passkey is called; `directory` what a directory is called, `state` one of `writeback.health.State`.

Of reminders: `days` until the password ends at `until`, `words` of the organisation's own, `people`
a line each of `count`, and how many `more`. Of a drill: `step` is one of account, reset, unlock,
sign_in, answer, and `cause` the code behind it.
"""
