"""What may be written into the audit trail: types of events, and which data each may carry.

Activities are called as in Entra (Entra, audit and reports), so that existing queries and alerts
find them; our own types sit beside them. A key that a type does not list is refused, so nothing
gets into the trail by accident (R-7).
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

TEXT_LENGTH = 200
PASSWORDS = "Self-service Password Management"
NOTICES = "Notifications"
SIGN_IN = "Administration"
PLATFORM = "Platform"
USERS = "UserManagement"
POLICY = "Policy"
PROTECTION = "Protection"
DIRECTORY = "Directory"

FLOW = "Self-service password reset flow activity progress"
RESET = "Reset password (self-service)"
CHANGE = "Change password (self-service)"
UNLOCK = "Unlock user account (self-service)"
STATE = "Directory connection changed"
BLOCKED = "Blocked from self-service password reset"
POLICY_CHANGES = "Self-service password reset policy changes"

_NOT_SHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNS_TEXT = frozenset({"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"})

Scalar = str | int | bool | None
Value = Scalar | list[Scalar]


class UnknownEventType(LookupError):
    """An event of a type that the registry does not know."""


class KeyNotAllowed(ValueError):
    """Data that this type of event does not carry, or a value of a kind that is never kept."""


@dataclass(frozen=True)
class EventType:
    """One type. `keys` is everything its data may hold; each of them may be left out."""

    key: str
    activity: str
    service: str
    category: str
    keys: frozenset[str]


def _type(key: str, activity: str, keys: str = "", *, service: str = PASSWORDS) -> EventType:
    category = {
        PASSWORDS: USERS,
        NOTICES: USERS,
        DIRECTORY: USERS,
        SIGN_IN: PROTECTION,
        PLATFORM: PROTECTION,
    }
    found = POLICY if activity == POLICY_CHANGES else category[service]
    return EventType(key, activity, service, found, frozenset(keys.split()))


EVENT_TYPES: Mapping[str, EventType] = {
    each.key: each
    for each in (
        _type("flow.started", FLOW, "operation policy gates_required methods concealed language"),
        _type("flow.refused", FLOW, "reason policy"),
        _type("flow.options_presented", FLOW, "methods"),
        _type("flow.organisation_asked", FLOW),
        _type("flow.verification_started", FLOW, "method channel step"),
        _type("flow.verification_sent", FLOW, "method channel step sends"),
        _type("flow.verification_completed", FLOW, "method step gates_missing"),
        _type("flow.verification_failed", FLOW, "method step tries_left cause"),
        _type("flow.blocked", BLOCKED, "limit until"),
        _type("flow.reevaluated", FLOW, "reason gates_missing"),
        _type("flow.denied", FLOW, "step"),
        _type("flow.cancelled", FLOW),
        _type("flow.expired", FLOW),
        _type("flow.locked", BLOCKED, "until"),
        _type("block.lifted", "Block from self-service password reset lifted", "limits journeys"),
        _type("password.reset", RESET, "policy methods sessions_ended operation"),
        _type("password.rejected", RESET, "codes"),
        _type("password.changed", CHANGE, "sessions_ended forced"),
        _type("password.change_failed", CHANGE, "cause codes"),
        _type("account.unlocked", UNLOCK, "methods"),
        _type("account.frozen", "Self-service password reset suspended for user", "cause"),
        _type("account.thawed", "Self-service password reset resumed for user"),
        _type("captcha.failed", FLOW),
        _type("help.requested", "Administrator asked for help with a password", "tier recipients"),
        _type("help.blocked", BLOCKED),
        _type("message.sent", "Message sent", "kind channel", service=NOTICES),
        _type("message.failed", "Message not delivered", "kind channel cause", service=NOTICES),
        _type("policy.applied", POLICY_CHANGES, "changes warnings"),
        _type("policy.changed", POLICY_CHANGES, "fields changes version"),
        _type(
            "import.applied",
            "Contact details imported in bulk",
            "rows new change same kept problem contacts_kept mode replace_confirmed format",
        ),
        _type("writeback.started", FLOW, "operation attempt connectors"),
        _type("writeback.rejected", FLOW, "reason attempt"),
        _type("writeback.failed", FLOW, "reason attempt"),
        _type("writeback.lost", FLOW),
        _type(
            "writeback.finished",
            "Password written to the directory",
            "job operation outcome cause connector agent reconciled unlocked",
        ),
        _type("writeback.not_signed", "Job of the directory refused", "cause purpose job"),
        _type("writeback.taken_over", "Job taken over by another agent", "job agent fence"),
        _type("writeback.ordered", "Reset password (by administrator)", "operation connectors"),
        _type("writeback.password_shown", "Temporary password shown to administrator"),
        _type("writeback.state_changed", STATE, "connector state before", service=PLATFORM),
        _type("writeback.drilled", "Drill of a directory", "connector outcome", service=PLATFORM),
        _type("connector.added", "Directory added", "connector kind", service=PLATFORM),
        _type("connector.changed", "Directory changed", "connector fields", service=PLATFORM),
        _type(
            "connector.direct_set",
            "Directory set up to be reached directly",
            "connector fields",
            service=PLATFORM,
        ),
        _type(
            "connector.direct_stopped",
            "Directory not reached directly any more",
            "connector",
            service=PLATFORM,
        ),
        _type("connector.removed", "Directory removed", "connector", service=PLATFORM),
        _type("reminders.changed", "Expiry reminders changed", "fields changes", service=PLATFORM),
        _type("link.changed", "Directory account of user changed", "connector change"),
        _type("agent.code_made", "Code for an agent made", "connector agent", service=PLATFORM),
        _type("agent.enrolled", "Agent enrolled", "connector agent", service=PLATFORM),
        _type("agent.confirmed", "Agent confirmed", "connector agent", service=PLATFORM),
        _type("agent.revoked", "Agent revoked", "connector agent", service=PLATFORM),
        # Activities of registration, as Entra calls them (Entra, audit and reports).
        _type("method.registered", "User registered security info", "method name"),
        _type("method.changed", "User changed security info", "method name"),
        _type("method.removed", "User deleted security info", "method name"),
        _type("import.discarded", "Bulk import discarded", "rows"),
        _type("contacts.imported", "Contact details of user imported", "added replaced kept"),
        _type("admin.signed_in", "Administrator signed in", service=SIGN_IN),
        _type("admin.sign_in_failed", "Administrator sign-in failed", service=SIGN_IN),
        _type("admin.denied", "Administrator was denied access", "path", service=SIGN_IN),
        _type(
            "tenant.guessing_suspected", "Guessing of codes suspected", "failures", service=PLATFORM
        ),
        _type(
            "tenant.gates_suspended",
            "Verification by email and phone suspended",
            "until failures",
            service=PLATFORM,
        ),
        _type(
            "tenant.sending_suspected",
            "Abuse of text messages or calls suspected",
            "cause channel",
            service=PLATFORM,
        ),
        _type(
            "method.disabled",
            "Verification option disabled after too many failures in a row",
            "method failures",
        ),
        _type("method.enabled", "Verification options enabled again", "methods"),
        _type(
            "operator.accessed",
            "Operator accessed an organisation's data",
            "purpose tenant",
            service=PLATFORM,
        ),
        _type("operator.created", "Operator created", service=PLATFORM),
        _type("operator.password_replaced", "Password of an operator replaced", service=PLATFORM),
        _type("operator.app_enrolled", "Authenticator app of an operator set up", service=PLATFORM),
        _type("operator.disabled", "Operator disabled", service=PLATFORM),
        _type("operator.signed_in", "Operator signed in", service=PLATFORM),
        _type("operator.sign_in_failed", "Operator sign-in failed", service=PLATFORM),
        _type("tenant.created", "Organisation created", "tenant plan domain", service=PLATFORM),
        _type("tenant.suspended", "Organisation suspended", "purpose tenant", service=PLATFORM),
        _type("tenant.reactivated", "Organisation reactivated", "purpose tenant", service=PLATFORM),
        _type(
            "tenant.plan_changed",
            "Plan of an organisation changed",
            "tenant plan trial_started plan_before trial_before",
            service=PLATFORM,
        ),
        _type(
            "tenant.name_added",
            "Name given to an organisation",
            "tenant kind name",
            service=PLATFORM,
        ),
        _type(
            "tenant.name_removed",
            "Name taken from an organisation",
            "tenant kind name",
            service=PLATFORM,
        ),
        _type("audit.sealed", "Audit trail sealed", service=PLATFORM),
        # What administrators edit: names of fields and of groups, never a person's values.
        _type("settings.changed", "Organisation settings changed", "fields", service=SIGN_IN),
        _type("group.created", "Group created", "name", service=DIRECTORY),
        _type("group.renamed", "Group renamed", "name before", service=DIRECTORY),
        _type("group.removed", "Group removed", "name members", service=DIRECTORY),
        _type("group.nested", "Group put into a group", "name inner", service=DIRECTORY),
        _type("group.unnested", "Group taken out of a group", "name inner", service=DIRECTORY),
        _type("group.member_added", "Member added to group", "group", service=DIRECTORY),
        _type("group.member_removed", "Member removed from group", "group", service=DIRECTORY),
        _type("user.created", "User added", "fields kind", service=DIRECTORY),
        _type("user.changed", "User changed", "fields", service=DIRECTORY),
        _type("user.enabled", "User enabled", service=DIRECTORY),
        _type("user.disabled", "User disabled", "sessions_ended", service=DIRECTORY),
        _type("user.change_required", "New password of user required", service=DIRECTORY),
        _type("user.sessions_ended", "Sessions of user ended", "sessions_ended", service=DIRECTORY),
        _type("user.roles_changed", "Roles of user changed", "added removed", service=DIRECTORY),
        _type("user.licence_assigned", "Licence assigned to user", service=DIRECTORY),
        _type("user.licence_removed", "Licence removed from user", service=DIRECTORY),
        _type(
            "user.contacts_changed",
            "Admin updated security info",
            "fields replaced told",
            service=DIRECTORY,
        ),
        _type("guest.invited", "Guest invited", "origin", service=DIRECTORY),
        _type("guest.sign_up_asked", "Guest asked to sign up", service=DIRECTORY),
        _type("guest.joined", "Guest joined", "origin", service=DIRECTORY),
        _type("guest.removed", "Guest removed", "origin", service=DIRECTORY),
        _type(
            "pass.issued",
            "Admin registered temporary access pass for user",
            "minutes once",
            service=DIRECTORY,
        ),
        _type("approval.decided", "Colleague decided about a user's request", "decision cause"),
        _type("tokens.added", "Tokens added to the inventory", "added kept rows"),
        _type("token.synchronised", "Token brought back into step", "method name"),
        _type("token.removed", "Token removed from the inventory", "method name"),
        _type("registration.required", "Admin required re-register for user", service=DIRECTORY),
        _type("method_settings.changed", "Settings of verification methods changed", "fields"),
        # People signing in, and what they prove while they are signed in.
        _type("user.signed_in", "User signed in", "methods", service=SIGN_IN),
        _type("user.sign_in_failed", "User sign-in failed", service=SIGN_IN),
        _type("user.sign_in_unanswered", "User sign-in not checked", service=SIGN_IN),
        _type("user.sign_in_locked", "User sign-in locked", "until familiar", service=SIGN_IN),
        _type("user.signed_out", "User signed out", "sessions_ended", service=SIGN_IN),
        _type("user.proof_asked", "User was asked for a proof", "method channel", service=SIGN_IN),
        _type("user.proof_sent", "User was sent a code", "method channel sends", service=SIGN_IN),
        _type("user.proved", "User proved who they are", "method", service=SIGN_IN),
        _type("user.proof_failed", "User proof failed", "method tries_left cause", service=SIGN_IN),
        _type("user.proof_blocked", "User proof blocked", "limit until", service=SIGN_IN),
        # A passkey whose signature counter went back (security rules, R-18).
        _type("method.copy_suspected", "Copy of a passkey suspected", "method name"),
        # Applications that sign people in here, and providers that sign them in for us.
        _type("application.created", "Application added", "application kind", service=SIGN_IN),
        _type("application.changed", "Application changed", "application fields", service=SIGN_IN),
        _type("application.removed", "Application removed", "application", service=SIGN_IN),
        _type(
            "application.secret_replaced",
            "Secret of an application replaced",
            "application",
            service=SIGN_IN,
        ),
        _type(
            "application.signed_in",
            "User signed in to an application",
            "application",
            service=DIRECTORY,
        ),
        _type(
            "application.consented",
            "User agreed to what an application gets to know",
            "application scopes",
            service=DIRECTORY,
        ),
        _type(
            "application.replayed",
            "Code or token of an application used twice",
            "application",
            service=SIGN_IN,
        ),
        _type("provider.created", "Identity provider added", "provider issuer", service=SIGN_IN),
        _type("provider.changed", "Identity provider changed", "provider fields", service=SIGN_IN),
        _type("provider.removed", "Identity provider removed", "provider", service=SIGN_IN),
        _type(
            "provider.answered",
            "User came back from an identity provider",
            "provider purpose cause",
            service=DIRECTORY,
        ),
        _type("flow.rehearsed", FLOW, "methods"),
        _type("method.code_sent", "User security info verification sent", "method channel"),
        _type("method.undone", "Change of user security info undone", "method name"),
        _type("registration.completed", "User registered all required security info", "methods"),
        _type("registration.put_off", "User cancelled security info registration"),
        _type("registration.confirmed", "User reviewed security info", "methods"),
        # Requests to an authenticator: what was answered, and what nobody had a right to answer.
        _type("push.answered", "Request answered in the authenticator", "decision purpose"),
        _type("push.repudiated", "Fraud reported in the authenticator", "purpose until"),
        _type("push.device_mismatch", "Request answered by a foreign device", "cause"),
    )
}


def get_event_type(key: str) -> EventType:
    """The type called `key`. Raises UnknownEventType."""
    try:
        return EVENT_TYPES[key]
    except KeyError:
        raise UnknownEventType(f"there is no type of audit event called {key!r}") from None


def allowed_data(event_type: EventType, data: Mapping[str, object]) -> dict[str, Value]:
    """The data as it is stored. Raises KeyNotAllowed, which names keys and never values."""
    unknown = sorted(set(data) - event_type.keys)
    if unknown:
        raise KeyNotAllowed(f"{event_type.key} does not carry {', '.join(unknown)}")
    return {key: _value(event_type, key, value) for key, value in data.items()}


def _value(event_type: EventType, key: str, value: object) -> Value:
    if isinstance(value, list | tuple):
        return [_scalar(event_type, key, item) for item in value]
    return _scalar(event_type, key, value)


def _scalar(event_type: EventType, key: str, value: object) -> Scalar:
    if isinstance(value, str):
        return clean_text(str.__str__(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    raise KeyNotAllowed(
        f"{event_type.key}: {key} holds a {type(value).__name__};"
        " text, whole numbers, true, false, nothing and lists of these are kept"
    )


def clean_text(text: str, length: int = TEXT_LENGTH) -> str:
    """Text as the trail keeps it: control characters and those that turn the direction of the line
    escaped, then cut to `length` characters."""
    if text.isascii() and text.isprintable():
        return text[:length]
    shown = "".join(_escaped(sign) if _is_control(sign) else sign for sign in text[:length])
    return shown[:length]


def _is_control(sign: str) -> bool:
    return (
        unicodedata.category(sign) in _NOT_SHOWN or unicodedata.bidirectional(sign) in _TURNS_TEXT
    )


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}"
