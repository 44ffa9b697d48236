"""The result words of the cases, as assertions: DENY, WRONG, LOCKED, UNIFORM is in `compare`."""

from typing import Any

from tests.security.lab.client import Answer, Browser
from tests.security.lab.lab import Lab

WRONG_TEXT = "That code is not right"
WRONG_PASSKEY = "That passkey did not work here"
Row = dict[str, Any]


def journey_row(lab: Lab, browser: Browser) -> Row:
    """What a refused step must leave alone: the journey, its proofs and how often was tried."""
    flow = lab.flow(browser)
    kept = {
        name: getattr(flow, name) for name in ("state", "tries", "reason", "user_id", "methods")
    }
    return {**kept, "secret": bytes(flow.secret_hash).hex(), "gates": lab.gates(browser)}


def assert_denied(lab: Lab, answer: Answer, browser: Browser, before: Row) -> None:
    """DENY: 4xx, nothing changed in the journey, and one audit event that says denied."""
    assert 400 <= answer.status < 500, f"{answer.path} answered {answer.status}"
    assert journey_row(lab, browser) == before
    denied = lab.trail(correlation_id=browser.flow, result="denied")
    assert len(denied) == 1, [event.type for event in denied]


def is_wrong(answer: Answer) -> bool:
    """WRONG: the page of the code again, with the usual sentence."""
    return answer.status == 200 and WRONG_TEXT in answer.text


def is_wrong_passkey(answer: Answer) -> bool:
    """The same for what a passkey signed."""
    return answer.status == 200 and WRONG_PASSKEY in answer.text
