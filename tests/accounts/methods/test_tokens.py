"""Hardware tokens and YubiKeys: replays, drift, and the validation server's word."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts.method_settings import change_settings
from accounts.methods.base import Answer, Verdict
from accounts.methods.registry import get_method
from accounts.models import MethodSettings
from accounts.tokens import synchronise
from accounts.validation import TIMEOUT, judge
from tenants.invalid import Invalid
from tenants.secret import Secret
from tests.accounts.methods.conftest import ASKED, CONTEXT, NOW, belongings, code
from tests.cast import Acme
from tests.credentials import (
    HELP_DESK,
    YubiKey,
    give_token,
    give_yubikey,
    token_code,
    token_of,
    yubikey_of,
)
from tests.services.validation import CLIENT, KEY, ValidationServer

TOKEN, YUBIKEY = get_method("hardware_token"), get_method("yubikey_otp")


def _verdict(acme: Acme, typed: str, seconds: float = 0) -> Verdict:
    from dataclasses import replace

    context = replace(CONTEXT, now=NOW + timedelta(seconds=seconds))
    return TOKEN.verify(belongings(acme.alice), ASKED, code(typed), context)


@pytest.mark.parametrize("digits", [6, 8])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_code_is_right_once_and_never_an_earlier_one(
    acme: Acme, digits: int, algorithm: str
) -> None:
    with acme.inside():
        token = token_of(acme.alice, digits=digits, algorithm=algorithm)
        give_token(acme.alice, token)
        typed = token_code(token, NOW)

        assert _verdict(acme, typed).right
        assert not _verdict(acme, typed).right
        assert not _verdict(acme, token_code(token, NOW, steps=-1)).right
        assert _verdict(acme, token_code(token, NOW, steps=1)).right


def test_a_clock_that_drifts_a_step_at_each_use_is_followed(acme: Acme) -> None:
    with acme.inside():
        token = token_of(acme.alice)
        give_token(acme.alice, token)
        found = [
            _verdict(acme, token_code(token, NOW, steps=100 * use + use), 3000 * use).right
            for use in range(1, 6)
        ]

    assert found == [True] * 5


def test_a_token_out_of_step_is_brought_back_by_two_codes(acme: Acme) -> None:
    with acme.inside():
        token = token_of(acme.alice)
        row = give_token(acme.alice, token)
        typed = [token_code(token, NOW, steps=40 + number) for number in range(4)]

        assert not _verdict(acme, typed[0]).right
        assert not synchronise(row, typed[0], typed[2], now=NOW)
        assert synchronise(row, typed[0], typed[1], now=NOW)
        assert not _verdict(acme, typed[1]).right
        assert _verdict(acme, typed[3], 60).right


def test_a_token_by_events_counts_on(acme: Acme) -> None:
    with acme.inside():
        token = token_of(acme.alice, period=0)
        give_token(acme.alice, token)

        assert _verdict(acme, token.code(3)).right
        assert not _verdict(acme, token.code(2)).right
        assert not _verdict(acme, token.code(14)).right
        assert _verdict(acme, token.code(13)).right


def test_a_token_that_waits_for_its_owner_proves_nothing(acme: Acme) -> None:
    with acme.inside():
        give_token(None, token_of(acme.alice))

        assert TOKEN.registrations(belongings(acme.alice), CONTEXT) == ()


def test_any_of_several_tokens_is_right_with_its_own_evidence(acme: Acme) -> None:
    with acme.inside():
        first, second = token_of(acme.alice), token_of(acme.bob)
        give_token(acme.alice, first)
        row = give_token(acme.alice, second)

        assert _verdict(acme, token_code(second, NOW)).evidence == row.evidence
        [registration] = TOKEN.registrations(belongings(acme.alice), CONTEXT)
    assert len(registration.evidence) == 2


# --- YubiKeys -----------------------------------------------------------------------------------


@pytest.fixture
def server(acme: Acme) -> Iterator[ValidationServer]:
    """Acme's validation server."""
    with ValidationServer() as running:
        with acme.inside():
            values = {
                "validation_url": running.url,
                "validation_client": CLIENT,
                "validation_key": KEY,
            }
            change_settings(values, by=HELP_DESK, now=NOW)
        yield running


def _touched(acme: Acme, typed: str) -> Verdict:
    answer = YUBIKEY.consult(acme.id, Answer(code=Secret(typed)))
    with acme.inside():
        return YUBIKEY.verify(belongings(acme.alice), ASKED, answer, CONTEXT)


def test_a_touch_of_our_own_key_is_right_once_and_only_if_it_is_newer(acme: Acme) -> None:
    key = yubikey_of(acme.alice)
    with acme.inside():
        give_yubikey(acme.alice, key)
    old, new = key.touch(), key.touch()
    key.plug_in()
    newest = key.touch()

    assert _touched(acme, new).right
    assert not _touched(acme, new).right
    assert not _touched(acme, old).right
    assert _touched(acme, newest).right


@pytest.mark.parametrize("part", ["key", "private", "public"])
def test_another_key_is_wrong(acme: Acme, part: str) -> None:
    key = yubikey_of(acme.alice)
    with acme.inside():
        give_yubikey(acme.alice, key)
    setattr(key, part, bytes(len(getattr(key, part))))

    assert not _touched(acme, key.touch()).right


def test_a_key_of_somebody_else_is_wrong(acme: Acme) -> None:
    key = yubikey_of(acme.bob)
    with acme.inside():
        give_yubikey(acme.bob, key)

    assert not _touched(acme, key.touch()).right


@pytest.fixture
def served(acme: Acme, server: ValidationServer) -> YubiKey:
    """A key of alice whose secret only the server has."""
    key = yubikey_of(acme.alice)
    with acme.inside():
        give_yubikey(acme.alice, key, ours=False)
    return key


def test_the_server_is_asked_signed_and_its_ok_is_right(
    acme: Acme, server: ValidationServer, served: YubiKey
) -> None:
    typed = served.touch()

    assert _touched(acme, typed).right
    [asked] = server.asked
    assert (asked["otp"], asked["id"]) == (typed, CLIENT)
    assert 16 <= len(asked["nonce"]) <= 40
    assert not _touched(acme, typed).right  # REPLAYED_OTP
    assert len({each["nonce"] for each in server.asked}) == 2


def test_without_being_asked_before_the_server_is_asked_when_it_is_judged(
    acme: Acme, served: YubiKey
) -> None:
    with acme.inside():
        own = belongings(acme.alice)

        assert YUBIKEY.verify(own, ASKED, code(served.touch()), CONTEXT).right


@pytest.mark.parametrize(
    ("status", "excused"),
    [
        ("BAD_OTP", False),
        ("REPLAYED_OTP", False),
        ("REPLAYED_REQUEST", False),
        ("BAD_SIGNATURE", True),
        ("MISSING_PARAMETER", True),
        ("NO_SUCH_CLIENT", True),
        ("OPERATION_NOT_ALLOWED", True),
        ("BACKEND_ERROR", True),
        ("NOT_ENOUGH_ANSWERS", True),
        ("SOMETHING_NEW", True),
    ],
)
def test_any_other_word_of_the_server_is_no_ok(
    acme: Acme, server: ValidationServer, served: YubiKey, status: str, excused: bool
) -> None:
    server.status = status

    verdict = _touched(acme, served.touch())

    assert (verdict.right, verdict.excused) == (False, excused)


@pytest.mark.parametrize(
    "forge",
    [{"h": "AAAA"}, {"otp": "c" * 44}, {"nonce": "0" * 32}, {"status": "OKAY"}, {"sl": "99"}],
    ids=lambda forge: next(iter(forge)),
)
def test_an_answer_that_was_changed_on_its_way_is_not_believed(
    acme: Acme, server: ValidationServer, served: YubiKey, forge: dict[str, str]
) -> None:
    server.forge = forge

    verdict = _touched(acme, served.touch())

    assert (verdict.right, verdict.excused) == (False, True)


@pytest.mark.parametrize("part", ["otp", "nonce"])
def test_a_signed_answer_to_another_question_is_not_believed(part: str) -> None:
    from tests.services.validation import signed

    asked = {"id": CLIENT, "otp": "c" * 44, "nonce": "1" * 32}
    answer = {"status": "OK", "otp": asked["otp"], "nonce": asked["nonce"]}
    answer[part] = "d" * 44
    body = "".join(f"{k}={v}\r\n" for k, v in {**answer, "h": signed(answer)}.items())

    import base64

    assert judge(body.encode(), asked, base64.b64decode(KEY)) == "unavailable"


@pytest.mark.slow
def test_a_server_that_says_nothing_is_waited_for_five_seconds_and_excused(
    acme: Acme, server: ValidationServer, served: YubiKey
) -> None:
    server.delay = TIMEOUT + 1

    assert _touched(acme, served.touch()).excused


def test_a_server_that_is_not_there_is_excused(acme: Acme, served: YubiKey) -> None:
    with acme.inside():
        row = MethodSettings.objects.get()
        row.validation_url = "http://127.0.0.1:9/verify"
        row.write_key(KEY)
        row.save()

    assert _touched(acme, served.touch()).excused


def test_a_key_never_goes_to_another_server(acme: Acme, server: ValidationServer) -> None:
    elsewhere = {"validation_url": "https://other.example/", "validation_client": CLIENT}
    with acme.inside():
        with pytest.raises(Invalid):
            change_settings(elsewhere, by=HELP_DESK, now=NOW)
        row = MethodSettings.objects.get()
        row.validation_url = "https://other.example/"
        with pytest.raises(ValueError, match="does not open"):
            row.read_key()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"validation_url": "http://server.example/"}, "validation_url"),
        ({"validation_url": "https://10.0.0.1/"}, "validation_url"),
        ({"validation_url": "https://user:word@server.example/"}, "validation_url"),
        ({"validation_url": "https://server.example/?x=1"}, "validation_url"),
        ({"validation_client": "seven"}, "validation_client"),
        ({"validation_key": "short"}, "validation_key"),
        ({"validation_url": ""}, "validation_url"),
    ],
)
def test_settings_that_can_not_work_are_refused(
    acme: Acme, values: dict[str, str], field: str
) -> None:
    good = {
        "validation_url": "https://server.example/wsapi/2.0/verify",
        "validation_client": CLIENT,
        "validation_key": KEY,
    }
    with acme.inside():
        with pytest.raises(Invalid) as refused:
            change_settings({**good, **values}, by=HELP_DESK, now=NOW)

        assert [problem.field for problem in refused.value.problems] == [field]
        assert KEY not in str(refused.value)
        assert not MethodSettings.objects.exists()


def test_an_emptied_address_forgets_the_server_and_its_key(
    acme: Acme, server: ValidationServer
) -> None:
    with acme.inside():
        change_settings({"validation_url": ""}, by=HELP_DESK, now=NOW)
        row = MethodSettings.objects.get()

    assert not row.has_server
    assert row.sealed_key is None
