"""Security questions in the portal: drawn anew after each wrong try, never told apart."""

from datetime import timedelta

import pytest

from resets.models import Challenge
from tests.cast import QUESTIONS, Acme
from tests.resets.conftest import NOW
from tests.resets.visitor import Clock, Visitor, get_flow_row


def test_a_wrong_try_draws_the_questions_anew(acme: Acme, visitor: Visitor, clock: Clock) -> None:
    seen: set[tuple[str, ...]] = set()
    for day in range(4):
        clock.at(NOW + timedelta(days=2 * day))
        visitor.start(acme.alice.user_id)
        visitor.fill(method="security_questions")
        for _ in range(4):
            with acme.inside():
                pending = Challenge.objects.get(flow=visitor.flow, dead=False)
                asked = tuple(sorted(pending.questions))
            assert len(set(asked)) == 3
            assert set(asked) <= set(QUESTIONS)
            seen.add(asked)
            page = visitor.fill(answer_1="wrong", answer_2="wrong", answer_3="wrong")
            assert page.state == "proving"
            assert "wrong" not in page.form.values.values()

    assert len(seen) > 1


@pytest.mark.parametrize("given", ["", "   "])
def test_an_empty_answer_is_asked_for_again_and_not_counted(
    acme: Acme, visitor: Visitor, given: str
) -> None:
    visitor.start(acme.alice.user_id)
    visitor.fill(method="security_questions")

    page = visitor.fill(answer_1="Snowball the Third", answer_2=given, answer_3="x")

    assert (page.status, page.state) == (200, "proving")
    assert 'id="answer_2-error"' in page.text
    assert get_flow_row(acme, visitor.flow).tries == 0


def test_an_answer_longer_than_any_is_refused(acme: Acme, visitor: Visitor) -> None:
    visitor.start(acme.alice.user_id)
    visitor.fill(method="security_questions")
    form = visitor.shown.form.action

    page = visitor.post(form, {"answer_1": "x" * 41, "answer_2": "y", "answer_3": "z"})

    assert page.status == 400
