"""Many requests at the same moment: each try is counted, each right is given once."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count, islice
from threading import Barrier, Lock
from typing import Any

import pytest
from django.db import transaction

from accounts.methods.base import Answer, Verdict
from accounts.methods.totp import AppCode
from resets import captcha, services
from resets.facts import read_situation
from resets.models import Challenge, Flow, Gate, SpentCaptcha
from resets.services import Handle, NoFlow, Result, proofs
from resets.services.common import bound_to, proof_counts
from tenants.counters import Count, count_down, count_up
from tenants.keys import tenant_keys
from tenants.models import AuditEvent
from tenants.models import Counter as CounterRow
from tenants.secret import Secret
from tests.cast import PASSWORD, Acme, app_code
from tests.concurrency.conftest import NOW, all_at_once, begin
from tests.resets.walks import BOB_EMAIL, not_it

pytestmark = pytest.mark.django_db(transaction=True)
POSSIBLE = {"ok", "wrong", "blocked", "not_now"}


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every code that was really compared, as often as it was: whoever is overtaken by another
    step compares the same code once more."""
    real, lock = AppCode.verify, Lock()
    seen: list[str] = []

    def verify(self: AppCode, own: Any, asked: Any, answer: Answer, *rest: Any) -> Verdict:
        with lock:
            seen.append(answer.code.reveal())
        return real(self, own, asked, answer, *rest)

    monkeypatch.setattr(AppCode, "verify", verify)
    return seen


def _kinds(answers: list[Any]) -> Counter[str]:
    return Counter(a.kind if isinstance(a, Result) else type(a).__name__ for a in answers)


def _events(acme: Acme, flow: Handle) -> Counter[str]:
    with acme.inside():
        rows = AuditEvent.objects.filter(correlation_id=flow.flow)
        return Counter(row.type for row in rows)


def _typing(handle: Handle, code: str) -> Callable[[], Result]:
    return lambda: services.verify(handle, Answer(Secret(code)), now=NOW)


def _guesses(acme: Acme, how_many: int) -> list[str]:
    """Different codes, all of them wrong."""
    right = {app_code(acme.bob, NOW + timedelta(seconds=drift)) for drift in (-30, 0, 30)}
    codes = (f"{number % 1_000_000:06d}" for number in count(int(min(right))))
    return list(islice((code for code in codes if code not in right), how_many))


def test_of_sixty_wrong_codes_five_are_judged_and_the_journey_is_locked_once(
    acme: Acme, judged: list[str]
) -> None:
    handle = begin(acme, acme.bob)
    guesses = _guesses(acme, 60)

    answers = all_at_once([_typing(handle, guess) for guess in guesses])

    assert set(_kinds(answers)) <= POSSIBLE
    assert len(set(judged)) == 5
    events = _events(acme, handle)
    assert (events["flow.verification_failed"], events["flow.locked"]) == (5, 1)
    with acme.inside():
        challenge = Challenge.objects.get(flow=handle.flow)
        assert (challenge.tries, challenge.judged, challenge.dead) == (5, 5, True)
        assert Flow.objects.get(pk=handle.flow).state == "locked"
    assert services.verify(handle, Answer(Secret(app_code(acme.bob, NOW))), now=NOW).kind == (
        "not_now"
    )


def test_over_many_journeys_of_one_person_five_wrong_codes_are_judged(
    acme: Acme, judged: list[str]
) -> None:
    handles = [begin(acme, acme.bob) for _ in range(6)]
    guesses = _guesses(acme, 36)

    answers = all_at_once(
        [_typing(handles[number % 6], guess) for number, guess in enumerate(guesses)]
    )

    assert set(_kinds(answers)) <= POSSIBLE
    assert len(set(judged)) == 5
    events = [_events(acme, handle)["flow.verification_failed"] for handle in handles]
    assert sum(events) == 5


def test_sixty_copies_of_the_right_code_open_one_gate(acme: Acme, judged: list[str]) -> None:
    handle = begin(acme, acme.bob)
    right = app_code(acme.bob, NOW)

    answers = all_at_once([_typing(handle, right)] * 60)

    kinds = _kinds(answers)
    assert kinds["ok"] == 1
    assert set(kinds) <= {*POSSIBLE, NoFlow.__name__}
    assert set(judged) == {right}
    assert _events(acme, handle)["flow.verification_completed"] == 1
    with acme.inside():
        assert Gate.objects.filter(flow=handle.flow).count() == 1
        # What was typed twice costs nothing.
        assert set(CounterRow.objects.filter(limit="failed_proofs").values_list("count")) == {(0,)}
        assert Flow.objects.get(pk=handle.flow).tries == 0


def test_one_code_in_two_journeys_at_once_opens_one(acme: Acme) -> None:
    handles = [begin(acme, acme.bob), begin(acme, acme.bob)]

    answers = all_at_once([_typing(handle, app_code(acme.bob, NOW)) for handle in handles])

    assert sorted(_kinds(answers).elements()) == ["ok", "wrong"]


def _to_password(acme: Acme, now_shift: int = 0) -> Handle:
    """A journey of bob that only lacks the password."""
    now = NOW + timedelta(seconds=now_shift)
    handle = begin(acme, acme.bob, now)
    first = services.verify(handle, Answer(Secret(app_code(acme.bob, now))), now=now)
    assert first.handle is not None
    services.choose(first.handle, "email", contact=BOB_EMAIL, channel="", now=now)
    with acme.inside():
        flow = Flow.objects.get(pk=handle.flow)
        pending = Challenge.objects.get(flow=flow, dead=False, used_at=None)
        code = tenant_keys().code(bytes(pending.nonce), bound_to(flow, pending))
    last = services.verify(first.handle, Answer(code), now=now)
    assert last.handle is not None
    return last.handle


def _submitting(handle: Handle, text: str, now: datetime) -> Callable[[], Result]:
    return lambda: services.submit(handle, Secret(text), now=now)


def test_of_fifty_passwords_exactly_one_is_set(acme: Acme) -> None:
    handle = _to_password(acme)
    passwords = [f"Quiet-Harbour {number} Lanterns" for number in range(50)]

    def submit(password: str) -> Callable[[], tuple[str, Result]]:
        return lambda: (password, services.submit(handle, Secret(password), now=NOW))

    answers = all_at_once([submit(password) for password in passwords])

    accepted = [password for password, result in answers if result.kind == "ok"]
    assert Counter(result.kind for _, result in answers) == {"ok": 1, "not_now": 49}
    with acme.inside():
        acme.bob.refresh_from_db()
        assert acme.bob.check_password(accepted[0])
        assert not acme.bob.check_password(PASSWORD)
        assert acme.bob.session_epoch == 1
    assert _events(acme, handle)["password.reset"] == 1


def test_journeys_of_one_person_that_end_at_once_do_not_wait_for_each_other(acme: Acme) -> None:
    """Each cancels the other one; without one order of locks this is a deadlock."""
    for round_ in range(4):
        pair = [_to_password(acme, 31 * (2 * round_ + half)) for half in range(2)]
        now = NOW + timedelta(seconds=31 * (2 * round_ + 1))
        texts = [f"Quiet-Harbour {round_}{half} Lanterns" for half in range(2)]

        answers = all_at_once(
            [_submitting(handle, text, now) for handle, text in zip(pair, texts, strict=True)]
        )

        assert sorted(_kinds(answers).elements()) == ["not_now", "ok"]


def test_guessing_beside_a_reset_that_ends_never_deadlocks(acme: Acme) -> None:
    done, guessed = _to_password(acme), begin(acme, acme.bob)
    wrong = not_it(app_code(acme.bob, NOW))
    finish = [lambda: services.submit(done, Secret("Quiet-Harbour 7 Lanterns"), now=NOW)]

    answers = all_at_once([*finish, *([_typing(guessed, wrong)] * 9)])

    assert _kinds(answers)["ok"] == 1
    assert set(_kinds(answers)) <= POSSIBLE


def test_counting_up_and_taking_back_on_the_same_rows_never_deadlock(acme: Acme) -> None:
    handle = begin(acme, acme.bob)

    def counting(act: Callable[[list[Count]], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(40):
                with acme.inside():
                    flow = Flow.objects.get(pk=handle.flow)
                    act(proof_counts(read_situation(NOW), flow, "email"))

        return run

    answers = all_at_once(
        [counting(lambda counts: count_up(counts, NOW)), counting(count_down)] * 3
    )

    assert answers == [None] * 6


def test_tries_that_were_counted_with_the_right_one_are_taken_back(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three clicks at once, all counted before the first is judged."""
    handle = begin(acme, acme.bob)
    counted, real = Barrier(3), proofs._count_try

    def count_and_wait(*args: Any) -> Any:
        tried = real(*args)
        transaction.on_commit(lambda: counted.wait(timeout=20))
        return tried

    monkeypatch.setattr(proofs, "_count_try", count_and_wait)

    answers = all_at_once([_typing(handle, app_code(acme.bob, NOW))] * 3)

    assert _kinds(answers) == {"ok": 1, "NoFlow": 2}
    with acme.inside():
        assert CounterRow.objects.get(limit="failed_proofs").count == 0
        assert Flow.objects.get(pk=handle.flow).tries == 0


def test_one_captcha_serves_one_of_twenty(db: None) -> None:
    digest = captcha.ticket_digest("the same")

    answers = all_at_once([lambda: captcha.spend(digest, NOW)] * 20)

    assert sorted(answers) == [False] * 19 + [True]
    assert SpentCaptcha.objects.count() == 1


def test_starts_at_once_are_all_journeys_of_their_own(acme: Acme) -> None:
    handles = all_at_once([lambda: begin(acme, acme.bob)] * 8)

    assert len({handle.flow for handle in handles}) == 8
    with acme.inside():
        assert set(Flow.objects.values_list("state", flat=True)) == {"proving"}
        [row] = CounterRow.objects.filter(limit="starts_by_person")
        assert row.count == 8


def test_a_try_stays_counted_when_judging_it_breaks(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = begin(acme, acme.bob)

    def broken(*args: object) -> Verdict:
        raise ZeroDivisionError

    monkeypatch.setattr(AppCode, "verify", broken)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            services.verify(handle, Answer(Secret("123456")), now=NOW)
    monkeypatch.undo()
    right = app_code(acme.bob, NOW)

    assert services.verify(handle, Answer(Secret(right)), now=NOW).kind == "wrong"
    again = begin(acme, acme.bob)
    assert services.verify(again, Answer(Secret(right)), now=NOW).kind in {"not_now", "blocked"}
    with acme.inside():
        [row] = CounterRow.objects.filter(limit="failed_proofs")
        assert row.count == 5
        assert Gate.objects.count() == 0


def test_a_wrong_answer_is_a_return_value_so_that_its_count_commits(acme: Acme) -> None:
    handle = begin(acme, acme.bob)

    result = services.verify(handle, Answer(Secret("000000")), now=NOW)

    assert (result.kind, result.tries_left) in {("wrong", 4), ("ok", 0)}
