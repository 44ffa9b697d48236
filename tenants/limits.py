"""PURE. Every throttle in one table (Entra, session and throttling; security rules 3.4).

A tenant may only tighten: ask for fewer tries, never for more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

FLOW_LIFETIME = timedelta(minutes=15)
CODE_LIFETIME = timedelta(minutes=5)
CAPTCHA_LIFETIME = timedelta(seconds=120)
TICKET_WAIT = timedelta(seconds=3)
HARD_TICKET_WAIT = timedelta(seconds=30)
TRIES_PER_CHALLENGE = 5
TRIES_PER_FLOW = 10
SENDS_PER_CHALLENGE = 3
RESEND_GAPS = (timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120))

MAX_BODY_BYTES = 64 * 1024
MAX_FIELDS = 20
MAX_USER_ID = 113
MAX_CODE = 16
MAX_ANSWER = 40
MAX_ASSERTION = 4096
MAX_CONTACT = 320
MAX_PASSWORD = 256

Scope = Literal[
    "person", "method", "address", "destination", "prefix", "tenant", "alarm", "journey"
]
DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
FOREVER = timedelta(days=3650)
NO_BLOCK = timedelta(0)


@dataclass(frozen=True)
class Limit:
    """At most `count` tries in `window`; the try after that is refused for `block`.

    `block` of zero means until the window ends. `shared` limits count over all tenants together.
    One that does not block is only counted; what it means is decided by whoever reads it. Of a
    `streak` a success takes back everything, not one try.
    """

    name: str
    scope: Scope
    count: int
    window: timedelta
    block: timedelta
    shared: bool = False
    blocks: bool = True
    streak: bool = False


_ALL = (
    # Proofs that failed, over all methods of one person.
    Limit("failed_proofs", "person", 5, DAY, DAY),
    # Wrong codes and answers of one method of one person.
    Limit("failed_method", "method", 5, HOUR, DAY),
    # The same without a success between them: the method is disabled (NIST SP 800-63B).
    Limit("failed_in_a_row", "method", 100, FOREVER, NO_BLOCK, blocks=False, streak=True),
    # Text messages and calls to one person.
    Limit("phone_sends", "person", 5, HOUR, DAY),
    Limit("email_sends", "person", 10, timedelta(minutes=10), DAY),
    # Journeys of one account in which a proof was asked for.
    Limit("reset_attempts", "person", 5, HOUR, DAY),
    Limit("starts_by_person", "person", 30, DAY, NO_BLOCK),
    Limit("starts_by_address", "address", 20, timedelta(minutes=1), NO_BLOCK, shared=True),
    Limit("starts_by_address_hour", "address", 100, HOUR, NO_BLOCK, shared=True),
    Limit("people_by_address", "address", 30, HOUR, NO_BLOCK, shared=True),
    # One person at one address; tells whether `people_by_address` has to be raised.
    Limit("person_at_address", "address", 1, HOUR, NO_BLOCK, shared=True),
    Limit("failed_by_address", "address", 60, HOUR, NO_BLOCK, shared=True),
    Limit("calls_to_number", "destination", 5, DAY, NO_BLOCK, shared=True),
    Limit("mails_to_mailbox", "destination", 10, HOUR, NO_BLOCK, shared=True),
    Limit("sends_to_prefix", "prefix", 10, HOUR, NO_BLOCK, shared=True),
    # A third of it raises suspicion, all of it suspends the gates that send a code.
    Limit("failed_in_tenant", "tenant", 300, HOUR, HOUR, blocks=False),
    # What administrators are alerted to, once each.
    Limit("alarms", "alarm", 1, HOUR, NO_BLOCK),
    # People from outside who ask for an account.
    Limit("sign_ups_by_address", "address", 20, HOUR, NO_BLOCK, shared=True),
    # Answers sent once more because the reply to the first did not arrive.
    Limit("repeated_answers", "alarm", 5, FLOW_LIFETIME, NO_BLOCK),
    # "Somebody used up the tries for your account."
    Limit("blocked_notices", "alarm", 1, DAY, NO_BLOCK),
    # Mails that tell a person why a reset in concealed mode goes nowhere.
    Limit("hints", "person", 1, DAY, NO_BLOCK),
    Limit("help_requests", "person", 3, HOUR, NO_BLOCK),
    Limit("help_by_address", "address", 10, HOUR, NO_BLOCK, shared=True),
    Limit("admin_sign_in", "person", 5, timedelta(minutes=15), NO_BLOCK),
    Limit("admin_sign_in_by_address", "address", 20, HOUR, NO_BLOCK, shared=True),
    # Questions to a manager or colleague whether it is really this person.
    Limit("approval_requests", "person", 3, HOUR, NO_BLOCK),
    # Tries to claim a token by its number and two codes, or to bring one back into step.
    Limit("token_claims", "person", 5, HOUR, NO_BLOCK),
    # Codes that let an agent in, right or wrong.
    Limit("agent_enrolments", "address", 20, HOUR, NO_BLOCK, shared=True),
    # Passwords that failed from one network address, over everybody; each person has a lock beside.
    Limit("failed_sign_ins_by_address", "address", 100, HOUR, NO_BLOCK, shared=True),
    # Proofs that a signed-in person failed to give. Never counted with those of a reset.
    Limit("failed_step_up", "person", 10, HOUR, HOUR),
    # A challenge that was answered, whatever came of it, is not answered again.
    Limit("passkey_challenges", "alarm", 1, 2 * CODE_LIFETIME, NO_BLOCK, shared=True),
    Limit("passkey_sign_ins_by_address", "address", 20, HOUR, NO_BLOCK, shared=True),
    # Browsers sent away to sign in at another service.
    Limit("redirections_by_address", "address", 60, HOUR, NO_BLOCK, shared=True),
    # Requests to somebody's authenticator: in one journey, and in all of them.
    Limit("approvals_in_journey", "journey", 3, FLOW_LIFETIME, NO_BLOCK),
    Limit("approvals", "person", 5, HOUR, NO_BLOCK),
    # Codes with which an authenticator is set up, typed from one address.
    Limit("enrolments_by_address", "address", 30, HOUR, NO_BLOCK, shared=True),
)
LIMITS: Mapping[str, Limit] = {limit.name: limit for limit in _ALL}
TIGHTENABLE = tuple(limit.name for limit in _ALL if not limit.shared and limit.scope != "alarm")


def limit_problem(name: str, count: object) -> str | None:
    """Why a tenant can't have `count` for the limit `name`, as a sentence; None when it can."""
    if name not in TIGHTENABLE:
        return f"There is no limit of that name. Use one of: {', '.join(TIGHTENABLE)}."
    most = LIMITS[name].count
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= most:
        return f"A limit can only be tightened: use 1 to {most}."
    return None


def limit_for(name: str, tightened: Mapping[str, int]) -> Limit:
    """The limit in force for a tenant. Raises KeyError for an unknown name."""
    limit = LIMITS[name]
    asked = tightened.get(name, limit.count)
    return limit if asked >= limit.count else replace(limit, count=max(1, asked))
