"""What holds for every method of the registry."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accounts.methods.base import WRONG, Answer, Asked
from accounts.methods.registry import METHODS, get_method, methods
from accounts.models import AuthenticatorDevice, ContactPoint, Credential, QuestionAnswer, User
from tenants.policy import METHODS as POLICY_METHODS
from tenants.policy import STRONGEST_FIRST
from tests.accounts.methods.conftest import (
    ASKED,
    CONTEXT,
    answers,
    belongings,
    code,
    give_the_rest,
    right,
)
from tests.cast import Acme, Beta, make_person

KEYS = sorted(METHODS)
CODES = [key for key in KEYS if get_method(key).asks == "code"]
SENT = ["email", "mobile_phone", "office_phone"]
JUNK = (
    "",
    " ",
    "12345",
    "1234567",
    "-00001",
    "1e5",
    "0x1F",
    "9" * 1_000_000,
    "١٢٣",
    "½½½½½½",
    "一二三四五六",
    "\x00" * 6,
    "\ud800" * 6,
    "None",
)


@pytest.fixture(autouse=True)
def _alice_has_everything(acme: Acme, beta: Beta) -> None:
    for organisation in (acme, beta):
        with organisation.inside():
            give_the_rest(organisation.alice, organisation.domain)


def _forget(user: User) -> None:
    for model in (ContactPoint, AuthenticatorDevice, QuestionAnswer, Credential):
        model.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(manager=None)


def test_the_registry_names_methods_of_the_policy_strongest_first() -> None:
    assert set(METHODS) <= set(POLICY_METHODS)
    assert [method.key for method in methods()] == [k for k in STRONGEST_FIRST if k in METHODS]
    with pytest.raises(KeyError):
        get_method("carrier_pigeon")


@pytest.mark.parametrize("key", KEYS)
def test_a_method_says_what_it_asks_for(key: str) -> None:
    method = get_method(key)

    assert method.key == key
    assert method.asks in {"code", "answers", "assertion", "approval", "redirect"}
    assert method.limits == () or method.reaches_out
    assert bool(method.contact) is method.sends


@pytest.mark.parametrize("key", KEYS)
def test_the_right_answer_is_right_and_names_registered_evidence(acme: Acme, key: str) -> None:
    method = get_method(key)
    with acme.inside():
        own = belongings(acme.alice)
        [registration] = method.registrations(own, CONTEXT)

        verdict = method.verify(own, ASKED, right(key, acme.alice), CONTEXT)

    assert verdict.right
    assert verdict.evidence in registration.evidence
    assert registration.method == key
    assert len(registration.anchor) == 32


@pytest.mark.parametrize("key", KEYS)
def test_junk_is_wrong_and_never_an_error(acme: Acme, key: str) -> None:
    with acme.inside():
        own = belongings(acme.alice)
        for junk in JUNK:
            answer = Answer(code(junk).code, answers(*[junk] * 3).answers, code(junk).code)
            verdicts = [
                get_method(key).verify(whose, ASKED, answer, CONTEXT) for whose in (own, None)
            ]

            assert verdicts == [WRONG, WRONG], junk[:20]
            assert get_method(key).problem(answer) in {"", "missing", "malformed"}, junk[:20]


@pytest.mark.parametrize("key", CODES)
def test_nothing_is_missing_and_something_that_can_be_no_code_malformed(key: str) -> None:
    method = get_method(key)

    assert [method.problem(code(text)) for text in ("", "  ")] == ["missing", "missing"]
    assert method.problem(code("no")) == "malformed"


@pytest.mark.parametrize("key", CODES)
def test_the_right_answer_has_no_problem(acme: Acme, key: str) -> None:
    with acme.inside():
        assert get_method(key).problem(right(key, acme.alice)) == ""


@pytest.mark.parametrize("key", KEYS)
def test_a_decoy_is_never_right(acme: Acme, key: str) -> None:
    with acme.inside():
        answer = right(key, acme.alice)

        assert get_method(key).verify(None, ASKED, answer, CONTEXT) == WRONG


@pytest.mark.parametrize("key", KEYS)
def test_without_a_registration_nothing_is_right(acme: Acme, key: str) -> None:
    with acme.inside():
        answer = right(key, acme.alice)
        _forget(acme.alice)
        own = belongings(acme.alice)

        assert get_method(key).registrations(own, CONTEXT) == ()
        assert get_method(key).verify(own, ASKED, answer, CONTEXT) == WRONG


@pytest.mark.parametrize("key", SENT)
@pytest.mark.parametrize("part", ["nonce", "bound_to"])
def test_a_code_of_another_challenge_is_wrong(acme: Acme, key: str, part: str) -> None:
    others = {
        "nonce": Asked(b"m" * 16, ASKED.bound_to),
        "bound_to": Asked(ASKED.nonce, b"another flow"),
    }
    other = others[part]
    with acme.inside():
        own = belongings(acme.alice)
        answer = right(key, acme.alice, other)

        assert get_method(key).verify(own, other, answer, CONTEXT).right
        assert get_method(key).verify(own, ASKED, answer, CONTEXT) == WRONG


@pytest.mark.parametrize("key", SENT)
def test_a_code_of_another_tenants_challenge_is_wrong(acme: Acme, beta: Beta, key: str) -> None:
    with beta.inside():
        theirs = right(key, beta.alice)
    with acme.inside():
        assert get_method(key).verify(belongings(acme.alice), ASKED, theirs, CONTEXT) == WRONG


@pytest.mark.parametrize("key", KEYS)
def test_two_people_have_two_anchors(acme: Acme, beta: Beta, key: str) -> None:
    """Even with the same number or mailbox in two tenants: an anchor is keyed by the tenant."""
    anchors = []
    for organisation in (acme, beta):
        with organisation.inside():
            own = belongings(organisation.alice)
            anchors += [row.anchor for row in get_method(key).registrations(own, CONTEXT)]

    assert len(set(anchors)) == 2


def _in_script(zero: int, text: str) -> str:
    """The same with the digits of another script."""
    return "".join(chr(zero + int(sign)) if sign.isdigit() else sign for sign in text)


@pytest.mark.parametrize("key", CODES)
@pytest.mark.parametrize(
    "typed",
    [
        lambda text: f" {text[:3]} {text[3:]} ",
        lambda text: f"{text[:3]}-{text[3:]}",
        lambda text: f"{text[:3]}\u00a0{text[3:]}",
        lambda text: _in_script(0x660, text),
        lambda text: _in_script(0x6F0, text),
        lambda text: _in_script(0xFF10, text),
    ],
    ids=["blanks", "dash", "no-break space", "arabic", "persian", "full width"],
)
def test_codes_are_read_as_people_type_them(
    acme: Acme, key: str, typed: Callable[[str], str]
) -> None:
    with acme.inside():
        plain = right(key, acme.alice).code.reveal()

        assert (
            get_method(key).verify(belongings(acme.alice), ASKED, code(typed(plain)), CONTEXT).right
        )


@pytest.mark.parametrize("key", CODES)
def test_what_follows_a_right_code_is_not_cut_off(acme: Acme, key: str) -> None:
    with acme.inside():
        own = belongings(acme.alice)
        plain = right(key, acme.alice).code.reveal()

        for typed in (f"{plain}0", f"{plain}x", plain + " " * 70, plain + " " * 58 + "junk"):
            assert get_method(key).verify(own, ASKED, code(typed), CONTEXT) == WRONG


def _break(user: User) -> None:
    for model, column in (
        (ContactPoint, "sealed"),
        (AuthenticatorDevice, "sealed_seed"),
        (Credential, "sealed"),
    ):
        for row in model.objects.filter(user=user):
            sealed = bytearray(getattr(row, column))
            sealed[-1] ^= 1
            model.objects.filter(pk=row.pk).update(**{column: bytes(sealed)})


@pytest.mark.parametrize("key", CODES)
def test_a_sealed_value_that_was_tampered_with_proves_nothing(acme: Acme, key: str) -> None:
    method = get_method(key)
    with acme.inside():
        _break(acme.alice)
        own = belongings(acme.alice)

        if method.sends:
            assert method.registrations(own, CONTEXT) == ()
        else:
            verdict = method.verify(own, ASKED, right(key, acme.alice), CONTEXT)
            assert not verdict.right


@pytest.mark.parametrize("key", ["email", "mobile_phone", "office_phone"])
def test_a_sealed_value_moved_to_another_person_proves_nothing(acme: Acme, key: str) -> None:
    kind = {"email": "alternate_email"}.get(key, key)
    with acme.inside():
        sealed = ContactPoint.objects.get(user=acme.alice, kind=kind).sealed
        mallory = make_person("mallory", acme.domain)
        ContactPoint.objects.create(user=mallory, kind=kind, sealed=sealed, lookup=bytes(32))

        assert get_method(key).registrations(belongings(mallory), CONTEXT) == ()


@pytest.mark.parametrize("key", SENT)
def test_a_changed_contact_has_other_evidence(acme: Acme, key: str) -> None:
    method = get_method(key)
    with acme.inside():
        [before] = method.registrations(belongings(acme.alice), CONTEXT)
        ContactPoint.objects.filter(user=acme.alice).update(version=2)
        [after] = method.registrations(belongings(acme.alice), CONTEXT)

    assert set(before.evidence).isdisjoint(after.evidence)


@pytest.mark.parametrize("domain", ["acme.example", "example.net", "sub.example.net"])
def test_a_mailbox_in_an_own_domain_is_marked(acme: Acme, domain: str) -> None:
    context = replace(CONTEXT, domains=frozenset({domain}))
    with acme.inside():
        [row] = get_method("email").registrations(belongings(acme.alice), context)

    assert row.in_own_domain is (domain == "example.net")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("email", "a••••@e••••.net"),
        ("mobile_phone", "+• •••••••01"),
        ("app_code", ""),
        ("manager_approval", "B••••"),
    ],
)
def test_hints_show_no_more_than_is_needed(acme: Acme, key: str, hint: str) -> None:
    with acme.inside():
        [row] = get_method(key).registrations(belongings(acme.alice), CONTEXT)

    assert row.hint == hint


def test_phones_with_and_without_extension_are_one_anchor(acme: Acme) -> None:
    from tests.cast import give_mobile, give_office

    with acme.inside():
        who: Any = make_person("phil", acme.domain)
        give_mobile(who, "+1 4255550155")
        give_office(who, "+1 4255550155x77")
        own = belongings(who)
        [mobile] = get_method("mobile_phone").registrations(own, CONTEXT)
        [office] = get_method("office_phone").registrations(own, CONTEXT)

    assert mobile.anchor == office.anchor
    assert (mobile.channels, office.channels) == (("sms", "voice"), ("voice",))
