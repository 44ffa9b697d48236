"""PURE. Why journeys end and what to do about it, in words for administrators."""

from . import eligibility
from .flow import State

REASONS = {
    eligibility.TENANT_OFF: "self-service reset is switched off",
    eligibility.WRITEBACK_OFF: "passwords can't be written back to the directory",
    eligibility.NO_POLICY: "there is no policy",
    eligibility.NOT_LICENSED: "the person has no licence",
    eligibility.OUTSIDE_GROUP: "the person is outside the group of the policy",
    eligibility.NOT_ENOUGH_METHODS: "too few methods are registered",
    eligibility.DIRECTORY_NEEDS_ADMIN: "the directory needs an administrator",
    eligibility.DIRECTORY_UNREACHABLE: "the directory can't be reached",
    eligibility.UNKNOWN_USER: "nobody has this user ID",
    eligibility.DISABLED: "the person is disabled",
    eligibility.LOCKED_OUT: "too many failed tries",
    eligibility.PERSONAL_ACCOUNT: "a personal account, which has a recovery of its own",
    eligibility.HOME_TENANT: "the home organisation's policy decides",
    eligibility.ADMINS_MAY_NOT_RESET: "administrators may not reset",
}
_AFTER_REASON = {
    eligibility.TENANT_OFF: "Switch self-service reset on in the reset policy, for all or a group.",
    eligibility.WRITEBACK_OFF: "Switch writeback on in the reset policy and connect an agent.",
    eligibility.NO_POLICY: "Save a reset policy.",
    eligibility.NOT_LICENSED: "Assign the person a licence, or stop requiring one in the policy.",
    eligibility.OUTSIDE_GROUP: "Add the person to the group that the reset policy names.",
    eligibility.NOT_ENOUGH_METHODS: (
        "Put another contact on file for the person, or let them register more methods; "
        "“What would happen” on the person's page names what counts."
    ),
    eligibility.DIRECTORY_NEEDS_ADMIN: "Look at the directory's agent: it needs an administrator.",
    eligibility.DIRECTORY_UNREACHABLE: "Check the agent's connection, then let them try again.",
    eligibility.UNKNOWN_USER: "Ask for the exact user ID: name@domain, as used for signing in.",
    eligibility.DISABLED: (
        "Look at the person's page: enable them, or let them in again after “this was not me”."
    ),
    eligibility.LOCKED_OUT: "Wait until the lock ends, or lift the blocks on the person's page.",
    eligibility.PERSONAL_ACCOUNT: "Send the person to the recovery of their own account's service.",
    eligibility.HOME_TENANT: "Send the person to their home organisation's help desk.",
    eligibility.ADMINS_MAY_NOT_RESET: (
        "Let another administrator help, or allow administrators to reset in the policy."
    ),
}
_AFTER_STATE = {
    State.DONE: "Nothing: the person has a new password.",
    State.EXPIRED: "The person may start again; a journey lasts 15 minutes.",
    State.CANCELLED: "The person gave up, or another journey was finished; they may start again.",
    State.FAILED: "The directory refused; look at the last steps, then let the person try again.",
    State.UNKNOWN: "The directory has not answered; the password may have been changed.",
}
GOING_ON = "Nothing yet: the person is on the way."


def next_step(state: State, reason: str, *, is_late: bool = False) -> str:
    """What an administrator can do for the person of a journey in this state."""
    if state in {State.REFUSED, State.LOCKED}:
        return _AFTER_REASON.get(reason, "Ask the person to start again.")
    if is_late:
        return _AFTER_STATE[State.EXPIRED]
    return _AFTER_STATE.get(state, GOING_ON)
