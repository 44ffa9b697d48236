"""How events about jobs read in the timeline of a journey."""

from collections.abc import Callable, Mapping

from tenants.admin.trail import tell_with
from tenants.models import AuditEvent

from ..job_words import OBJECTIONS, OPERATIONS, cause_in_words, end_in_words


def _asked(event: AuditEvent) -> str:
    number = event.data.get("connectors", 0)
    wanted = OPERATIONS.get(str(event.data.get("operation")), "do something")
    return f"{number} {'directory was' if number == 1 else 'directories were'} asked to {wanted}"


def _finished(event: AuditEvent) -> str:
    end = end_in_words(str(event.data.get("outcome")), str(event.data.get("cause", "")))
    later = ", as was found out afterwards" if event.data.get("reconciled") else ""
    locked = ", but the account is still locked" if event.data.get("unlocked") is False else ""
    return f"{event.data.get('connector', 'The directory')}: {end}{later}{locked}"


def _why(event: AuditEvent) -> str:
    return cause_in_words(str(event.data.get("reason", ""))) or "no cause is known"


def _not_signed(event: AuditEvent) -> str:
    cause = str(event.data.get("cause"))
    return f"The signer refused the job: {OBJECTIONS.get(cause, cause)}"


TELLERS: Mapping[str, Callable[[AuditEvent], str]] = {
    "writeback.started": _asked,
    "writeback.ordered": lambda event: f"{_asked(event)} by an administrator: {event.reason}",
    "writeback.rejected": lambda event: f"Back to choosing a password: {_why(event)}",
    "writeback.failed": lambda event: f"The directory did not do it: {_why(event)}",
    "writeback.lost": lambda event: "The directory's answer got lost: not confirmed yet",
    "writeback.finished": _finished,
    "writeback.not_signed": _not_signed,
    "writeback.taken_over": lambda event: "Another agent took the job over",
}
for event_type, teller in TELLERS.items():
    tell_with(event_type, teller)
