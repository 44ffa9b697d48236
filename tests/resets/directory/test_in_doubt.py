"""A reset whose answer was lost: what the person sees and hears, until the truth arrives (R-13)."""

import pytest

from tests.cast import Acme
from tests.resets.conftest import Post
from tests.resets.directory.chooser import come_back, send
from tests.resets.visitor import Clock, Visitor, trail
from tests.writeback.field import DONE, LOST, FieldAgent, Held
from writeback.reports import Report
from writeback.services.outcome import sweep


def lose(chooser: Visitor, agent: FieldAgent, clock: Clock) -> Held:
    send(chooser, clock)
    held = agent.take()
    assert held is not None
    assert agent.report(held, LOST).status == 200
    assert come_back(chooser).state == "unknown"
    return held


@pytest.mark.parametrize(
    ("later", "state"),
    [
        (Report("succeeded", changed=True, reconciled=True, at=1), "done"),
        (Report("failed", "superseded", at=1), "failed"),
        (Report("failed", "not_applied", at=1), "failed"),
    ],
)
def test_what_is_not_known_is_said_so_until_the_truth_arrives(
    hybrid: Acme,
    chooser: Visitor,
    agent: FieldAgent,
    post: Post,
    clock: Clock,
    later: Report,
    state: str,
) -> None:
    """Whoever the new password does not belong to hears of it while it is still in doubt (R-13)."""
    held = lose(chooser, agent, clock)
    assert agent.report(held, later).body == {"accepted": True}
    assert come_back(chooser).state == state
    told = {"password_in_doubt", *(["password_changed"] if state == "done" else [])}
    kinds = sorted(message["kind"] for message in post() if message["kind"] != "code")
    assert kinds == sorted(told)


def test_an_answer_that_was_lost_ends_sessions_to_be_sure_and_only_once(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    before = hybrid.bob.session_epoch
    held = lose(chooser, agent, clock)
    agent.report(held, Report("succeeded", changed=True, reconciled=True, at=1))
    with hybrid.inside():
        hybrid.bob.refresh_from_db()
    assert hybrid.bob.session_epoch == before + 1
    [event] = trail(hybrid, type="password.reset")
    assert (event.data["methods"], event.data["sessions_ended"]) == (["app_code", "email"], 0)


def test_a_job_that_was_taken_and_never_reported_is_not_called_a_failure(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    send(chooser, clock)
    held = agent.take()
    assert held is not None
    clock.shift(seconds=61)
    assert sweep(clock.now) == 1
    page = come_back(chooser)
    assert page.state == "unknown"
    assert "first with the new password" in page.text
    agent.report(held, DONE)
    assert come_back(chooser).state == "done"
