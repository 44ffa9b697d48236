"""The passkey as a proof: what is right, and everything that is not (R-18)."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fido2.utils import websafe_decode, websafe_encode

from accounts.methods.base import WRONG, Answer, Asked, MethodContext, Verdict
from accounts.methods.registry import get_method
from accounts.models import Credential, User
from accounts.passkeys import handle_of
from accounts.webauthn import find_site
from notifications.models import Message
from tenants.models import AuditEvent
from tests.accounts.methods.conftest import ASKED, CONTEXT, SITE, asserting, belongings
from tests.cast import Acme, Beta
from tests.services.softkey import (
    UP,
    UV,
    SoftKey,
    challenge_of,
    give_passkey,
    own_assertion,
)

METHOD = get_method("passkey")
CONCEALED = replace(CONTEXT, concealed=True)
OTHER_SITE = "https://acme.sspr.test.evil.example"


def options(user: User | None, asked: Asked = ASKED, context: MethodContext = CONTEXT) -> Any:
    own = belongings(user) if user is not None else None
    return json.loads(METHOD.prompt(own, asked, context)["options"])


def judged(user: User, text: str, context: MethodContext = CONTEXT) -> Verdict:
    return METHOD.verify(belongings(user), ASKED, asserting(text), context)


def signed(user: User, **bent: Any) -> str:
    site = bent.pop("site", SITE)
    challenge = bent.pop("challenge", None) or challenge_of(options(user))
    return own_assertion(user, site, challenge, **bent)


def changed(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    data = json.loads(text)
    change(data)
    return json.dumps(data)


def test_options_name_the_persons_passkeys_of_this_site_and_ask_for_verification(
    acme: Acme,
) -> None:
    with acme.inside():
        give_passkey(acme.alice, SITE)
        elsewhere = SoftKey.of(acme.alice, "elsewhere")
        give_passkey(acme.alice, "https://other.sspr.test", key=elsewhere)
        found = options(acme.alice)

    assert found["rpId"] == "acme.sspr.test"
    assert found["userVerification"] == "required"
    assert len(websafe_decode(found["challenge"])) == 32
    [named] = found["allowCredentials"]
    assert websafe_decode(named["id"]) == SoftKey.of(acme.alice).credential_id
    assert named["transports"] == ["internal"]


def test_where_it_is_concealed_a_decoys_options_have_the_same_shape(acme: Acme) -> None:
    with acme.inside():
        give_passkey(acme.alice, SITE)
        real = options(acme.alice, context=CONCEALED)
        decoy = options(None, replace(ASKED, nonce=b"d" * 16), CONCEALED)

    assert real.pop("challenge") != decoy.pop("challenge")
    assert real == decoy
    assert "allowCredentials" not in real


@pytest.mark.parametrize(
    "other",
    [replace(ASKED, nonce=b"m" * 16), replace(ASKED, bound_to=b"another flow")],
    ids=["nonce", "bound_to"],
)
def test_each_challenge_has_its_own_bytes(acme: Acme, beta: Beta, other: Asked) -> None:
    with acme.inside():
        own, others = options(None)["challenge"], options(None, other)["challenge"]
        again = options(None)["challenge"]
    with beta.inside():
        theirs = options(None)["challenge"]

    assert own == again
    assert len({own, others, theirs}) == 3


def test_the_right_assertion_is_right_and_notes_when_it_was(acme: Acme) -> None:
    with acme.inside():
        row = give_passkey(acme.alice, SITE)

        verdict = judged(acme.alice, signed(acme.alice))

        row.refresh_from_db()
    assert verdict == Verdict(right=True, evidence=row.evidence)
    assert row.used_at == CONTEXT.now


BENT: dict[str, dict[str, Any]] = {
    "wrong origin": {"site": OTHER_SITE, "rp_id": "acme.sspr.test"},
    "origin with another port": {"site": f"{SITE}:8443"},
    "origin without TLS": {"site": "http://acme.sspr.test"},
    "origin of a subdomain": {"site": "https://x.acme.sspr.test", "rp_id": "acme.sspr.test"},
    "wrong RP ID": {"rp_id": "sspr.test"},
    "another challenge": {"challenge": b"c" * 32},
    "no challenge": {"challenge": b"\x00"},
    "user not verified": {"flags": UP},
    "user not present": {"flags": UV},
    "made, not used": {"kind": "webauthn.create"},
    "a payment": {"kind": "payment.get"},
    "inside another site": {"crossOrigin": True},
    "another person's handle": {"handle": b"h" * 48},
    "an empty handle": {"handle": b""},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=list(BENT))
def test_what_is_bent_is_wrong(acme: Acme, bent: dict[str, Any]) -> None:
    with acme.inside():
        row = give_passkey(acme.alice, SITE)

        assert judged(acme.alice, signed(acme.alice, **bent)) == WRONG
        row.refresh_from_db()
        assert row.used_at is None
        assert judged(acme.alice, signed(acme.alice)).right


def _bit(name: str) -> Callable[[dict[str, Any]], None]:
    def flip(data: dict[str, Any]) -> None:
        raw = bytearray(websafe_decode(data["response"][name]))
        raw[-1] ^= 1
        data["response"][name] = websafe_encode(bytes(raw))

    return flip


def _put(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["response"].update({name: value})


MANGLED: dict[str, Callable[[dict[str, Any]], object]] = {
    "bogus signature": _bit("signature"),
    "changed data": _bit("authenticatorData"),
    "no signature": lambda data: data["response"].pop("signature"),
    "empty signature": _put("signature", ""),
    "a number for a signature": _put("signature", 7),
    "no response": lambda data: data.pop("response"),
    "a list for a response": lambda data: data.update(response=[]),
    "ids that differ": lambda data: data.update(id="AAAA"),
    "another type": lambda data: data.update(type="password"),
    "short data": _put("authenticatorData", websafe_encode(b"short")),
    "client data that is no JSON": _put("clientDataJSON", websafe_encode(b"\xff{")),
    "client data that is a list": _put("clientDataJSON", websafe_encode(b"[1]")),
    "client data without a challenge": _put("clientDataJSON", websafe_encode(b'{"type":"x"}')),
    "signs that are no base64": _put("clientDataJSON", "é" * 20),
    "half a character": _put("clientDataJSON", "\ud800"),
}


@pytest.mark.parametrize("mangle", MANGLED.values(), ids=list(MANGLED))
def test_what_is_mangled_is_wrong(acme: Acme, mangle: Callable[[dict[str, Any]], object]) -> None:
    with acme.inside():
        give_passkey(acme.alice, SITE)
        good = signed(acme.alice)

        assert judged(acme.alice, changed(good, mangle)) == WRONG
        assert judged(acme.alice, good).right


JUNK = (
    "",
    "null",
    "7",
    "[]",
    "{}",
    '"text"',
    "{" * 2000,
    "[" * 4000,
    '{"id": NaN}',
    '{"id":"a","id":"a"}',
    "x" * 5000,
    "\x00",
)


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_is_seen_to_be_none_and_is_wrong(acme: Acme, junk: str) -> None:
    with acme.inside():
        give_passkey(acme.alice, SITE)

        assert METHOD.problem(asserting(junk)) in {"missing", "malformed"}
        assert judged(acme.alice, junk) == WRONG


def test_what_is_longer_than_any_assertion_is_wrong_though_it_would_be_right(acme: Acme) -> None:
    with acme.inside():
        give_passkey(acme.alice, SITE)
        good = signed(acme.alice)

        assert judged(acme.alice, good + " " * 4096) == WRONG
        assert METHOD.problem(asserting(good)) == ""
        assert METHOD.problem(Answer()) == "missing"


def test_another_persons_passkey_is_wrong(acme: Acme) -> None:
    with acme.inside():
        give_passkey(acme.alice, SITE)
        give_passkey(acme.bob, SITE)
        challenge = challenge_of(options(acme.alice))
        bobs = own_assertion(acme.bob, SITE, challenge)
        in_her_name = own_assertion(acme.bob, SITE, challenge, handle=handle_of(acme.alice))
        as_hers = own_assertion(
            acme.bob,
            SITE,
            challenge,
            handle=handle_of(acme.alice),
            credential_id=SoftKey.of(acme.alice).credential_id,
        )

        for text in (bobs, in_her_name, as_hers):
            assert judged(acme.alice, text) == WRONG
        assert judged(acme.bob, bobs).right


def test_another_tenants_passkey_is_wrong(acme: Acme, beta: Beta) -> None:
    """Even the same key, registered in both on one shared host: the handle names the tenant."""
    site = "https://sspr.test"
    context = replace(CONTEXT, site=site)
    key = SoftKey.of(acme.alice)
    with beta.inside():
        give_passkey(beta.alice, site, key=key)
        theirs = handle_of(beta.alice)
    with acme.inside():
        challenge = challenge_of(options(None, context=context))
        assert judged(acme.alice, key.assertion(site, challenge, theirs), context) == WRONG
        give_passkey(acme.alice, site, key=key)
        assert judged(acme.alice, key.assertion(site, challenge, theirs), context) == WRONG
        assert judged(acme.alice, signed(acme.alice, site=site), context).right


def test_a_passkey_of_another_host_is_not_offered_and_wrong_here(acme: Acme) -> None:
    there = "https://portal.acme.example"
    with acme.inside():
        give_passkey(acme.alice, there)
        own = belongings(acme.alice)

        assert METHOD.registrations(own, CONTEXT) == ()
        assert judged(acme.alice, signed(acme.alice)) == WRONG
        assert "allowCredentials" not in options(acme.alice)
        for context in (replace(CONTEXT, site=there), replace(CONTEXT, site="")):
            assert len(METHOD.registrations(own, context)) == 1


def test_without_a_site_nothing_can_be_proved(acme: Acme) -> None:
    nowhere = replace(CONTEXT, site="")
    with acme.inside():
        give_passkey(acme.alice, SITE)

        assert judged(acme.alice, signed(acme.alice), nowhere) == WRONG
        assert METHOD.prompt(belongings(acme.alice), ASKED, nowhere) == {"options": ""}


@pytest.mark.parametrize(("context", "right"), [(CONTEXT, True), (CONCEALED, False)])
def test_the_handle_may_be_missing_only_where_passkeys_were_named(
    acme: Acme, context: MethodContext, right: bool
) -> None:
    with acme.inside():
        give_passkey(acme.alice, SITE)

        assert judged(acme.alice, signed(acme.alice, handle=None), context).right is right


@pytest.mark.parametrize(
    ("kept", "new", "right"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 900, True), (5, 5, False), (5, 4, False)],
)
def test_a_signature_counter_has_to_rise_where_there_is_one(
    acme: Acme, kept: int, new: int, right: bool
) -> None:
    with acme.inside():
        row = give_passkey(acme.alice, SITE)
        Credential.objects.filter(pk=row.pk).update(counter=kept)

        verdict = judged(acme.alice, signed(acme.alice, counter=new))

        row.refresh_from_db()
        alerts = list(AuditEvent.objects.filter(type="method.copy_suspected"))
        mails = Message.objects.filter(kind="passkey_refused").count()
    assert verdict.right is right
    assert verdict.cause == ("wrong" if right else "counter")
    assert row.counter == (new if right else kept)
    assert [(event.result, event.data["name"]) for event in alerts] == (
        [] if right else [("denied", "Test key")]
    )
    assert mails == (0 if right else 1)


def test_a_counter_set_back_to_nothing_is_refused_and_told_once_an_hour(acme: Acme) -> None:
    with acme.inside():
        row = give_passkey(acme.alice, SITE)
        Credential.objects.filter(pk=row.pk).update(counter=5)

        for _ in range(3):
            assert judged(acme.alice, signed(acme.alice, counter=0)).cause == "counter"

        assert AuditEvent.objects.filter(type="method.copy_suspected").count() == 1
        assert Message.objects.filter(kind="passkey_refused").count() == 1


def test_a_bogus_signature_raises_no_alert_whatever_its_counter(acme: Acme) -> None:
    with acme.inside():
        row = give_passkey(acme.alice, SITE)
        Credential.objects.filter(pk=row.pk).update(counter=5)
        bogus = changed(signed(acme.alice, counter=1), _bit("signature"))

        assert judged(acme.alice, bogus) == WRONG
        assert not AuditEvent.objects.filter(type="method.copy_suspected").exists()


@pytest.mark.parametrize("how", ["broken", "moved", "not confirmed", "expired"])
def test_a_row_that_was_tampered_with_or_is_not_usable_proves_nothing(acme: Acme, how: str) -> None:
    with acme.inside():
        row = give_passkey(acme.bob, SITE)
        rows = Credential.objects.filter(pk=row.pk)
        whose = acme.bob
        if how == "broken":
            rows.update(sealed=bytes(row.sealed)[:-1] + b"x")
        elif how == "moved":
            rows.update(user=acme.alice)
            whose = acme.alice
        elif how == "expired":
            rows.update(expires_at=CONTEXT.now)
        else:
            rows.update(confirmed_at=None)

        text = own_assertion(acme.bob, SITE, challenge_of(options(None)))

        assert judged(whose, text) == WRONG
        assert "allowCredentials" not in options(whose)


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("https://acme.example", ("https://acme.example", "acme.example")),
        ("https://acme.example:443", ("https://acme.example", "acme.example")),
        ("https://acme.example:8443", ("https://acme.example:8443", "acme.example")),
        ("http://acme.localhost:80", ("http://acme.localhost", "acme.localhost")),
        ("https://127.0.0.1", None),
        ("https://[::1]:8000", None),
        ("ftp://acme.example", None),
        ("", None),
    ],
)
def test_a_site_is_an_origin_as_browsers_write_it(
    origin: str, site: tuple[str, str] | None
) -> None:
    found = find_site(origin)

    assert (found and (found.origin, found.host)) == site
