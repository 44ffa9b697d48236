"""Making a passkey on the security-info pages, and what is told of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Credential, User
from accounts.passkey_names import MAKES, suggested_name, unused_name
from accounts.passkeys import find_opened, handle_of, tenant_of_handle
from notifications.models import Message
from tenants.models import AuditEvent
from tests.cast import Acme, Beta, Organisation
from tests.resets.visitor import Page
from tests.services.signed_in import signed_in_client
from tests.services.softkey import AT, UP, UV, SoftKey, challenge_of, give_passkey

SITE = "http://acme.sspr.test"
ADD, LIST = "/security-info/passkeys/add/", "/security-info/passkeys/"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"
DAMAGE: dict[str, dict[str, Any]] = {
    "wrong origin": {"site": "https://evil.example", "rp_id": "acme.sspr.test"},
    "wrong RP ID": {"rp_id": "evil.example"},
    "another challenge": {"challenge": b"c" * 32},
    "user not verified": {"flags": UP | AT},
    "user not present": {"flags": UV | AT},
    "no key in it": {"flags": UP | UV},
    "used, not made": {"kind": "webauthn.get"},
    "inside another site": {"crossOrigin": True},
    "an algorithm we did not ask for": {"public": {1: 2, 3: -47, -1: 8, -2: b"x" * 32}},
    "a key that is none": {"public": {1: 2}},
}


@pytest.fixture(autouse=True)
def _own_pages(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.accounts.passkey_pages"


@pytest.fixture
def browser(acme: Acme) -> Client:
    return signed_in_client(acme, acme.bob, proved=["app_code"])


def _shown(browser: Client) -> Page:
    return Page(browser.get(ADD, headers={"user-agent": CHROME}))


def _said(key: SoftKey, page: Page, **bent: Any) -> dict[str, str]:
    challenge = bent.pop("challenge", None) or challenge_of(page.options)
    text = key.attestation(bent.pop("site", SITE), challenge, **bent)
    return {"attestation": text, "challenge": page.form.values["challenge"]}


def _send(browser: Client, fields: dict[str, str]) -> Any:
    return browser.post(ADD, fields, headers={"user-agent": CHROME})


def _rows(organisation: Organisation, user: User) -> list[Credential]:
    with organisation.inside():
        return list(Credential.objects.filter(user=user).order_by("created_at"))


def test_options_ask_for_a_verified_passkey_that_the_device_keeps(
    acme: Acme, browser: Client
) -> None:
    with acme.inside():
        give_passkey(acme.bob, SITE)
        give_passkey(acme.bob, "https://elsewhere.example", key=SoftKey.of(acme.bob, "elsewhere"))
        handle = handle_of(acme.bob)
    options = json.loads(_shown(browser).options)

    assert options["rp"] == {"id": "acme.sspr.test", "name": "Acme"}
    assert options["user"]["name"] == "bob@acme.example"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["attestation"] == "none"
    assert len(challenge_of(options)) == 32
    assert len(options["excludeCredentials"]) == 1
    assert {row["alg"] for row in options["pubKeyCredParams"]} == {-7, -8, -257}
    assert bytes(acme.bob.pk.bytes) not in handle
    assert tenant_of_handle(handle) == acme.id


def test_a_new_passkey_is_kept_recorded_and_told_to_the_contacts_before(
    acme: Acme, browser: Client
) -> None:
    key = SoftKey.of(acme.bob)
    key.counter = 7

    answer = _send(browser, _said(key, _shown(browser)) | {"name": "  My   laptop "})

    assert (answer.status_code, answer.headers["Location"]) == (303, LIST)
    [row] = _rows(acme, acme.bob)
    assert (row.name, row.site, row.counter) == ("My laptop", "acme.sspr.test", 7)
    assert row.confirmed_at is not None
    with acme.inside():
        passkey = find_opened(row)
        assert passkey is not None
        assert (passkey.attested, passkey.handle) == (key.attested, handle_of(acme.bob))
        assert passkey.transports == ("hybrid", "internal")
        [event] = AuditEvent.objects.filter(type="method.registered")
        assert event.data == {"method": "passkey", "name": "My laptop"}
        assert Message.objects.filter(kind="method_changed").count() == 1


@pytest.mark.parametrize("bent", DAMAGE.values(), ids=list(DAMAGE))
def test_what_is_bent_is_not_registered(acme: Acme, browser: Client, bent: dict[str, Any]) -> None:
    key = SoftKey.of(acme.bob)

    answer = _send(browser, _said(key, _shown(browser), **bent))

    assert answer.status_code == 400
    assert b"could not be checked" in answer.content
    assert _rows(acme, acme.bob) == []
    assert _send(browser, _said(key, _shown(browser))).status_code == 303


@pytest.mark.parametrize("junk", ["{}", "[]", "x", '{"type":"public-key"}', "[" * 9000, "\ud7ff"])
def test_junk_is_not_registered_and_breaks_nothing(acme: Acme, browser: Client, junk: str) -> None:
    fields = {"attestation": junk, "challenge": _shown(browser).form.values["challenge"]}

    assert _send(browser, fields).status_code == 400
    assert _rows(acme, acme.bob) == []


def test_without_anything_made_the_page_says_so_and_keeps_the_name(browser: Client) -> None:
    fields = {"challenge": _shown(browser).form.values["challenge"], "name": "Mine"}

    page = Page(_send(browser, fields))

    assert page.status == 400
    assert "No passkey was made" in page.text
    assert page.form.values["name"] == "Mine"


def test_what_is_too_long_or_unknown_is_no_form_of_ours(acme: Acme, browser: Client) -> None:
    good = _said(SoftKey.of(acme.bob), _shown(browser))

    assert _send(browser, good | {"attestation": "x" * 16385}).status_code == 400
    assert _send(browser, good | {"challenge": "x" * 1001}).status_code == 400
    assert _send(browser, good | {"user": "alice"}).status_code == 400
    page = Page(_send(browser, good | {"name": "n" * 65}))
    assert "64 characters" in page.text
    assert _rows(acme, acme.bob) == []
    assert _send(browser, good).status_code == 303


def test_a_challenge_is_answered_once_whatever_came_of_it(acme: Acme, browser: Client) -> None:
    page = _shown(browser)
    wrong, right = (
        _said(SoftKey.of(acme.bob), page, flags=UP | AT),
        _said(SoftKey.of(acme.bob), page),
    )

    assert _send(browser, wrong).status_code == 400
    assert _send(browser, right).status_code == 400
    assert _rows(acme, acme.bob) == []


@pytest.mark.parametrize(("seconds", "status"), [(299, 303), (301, 400)])
def test_a_challenge_is_good_for_five_minutes(
    acme: Acme, browser: Client, seconds: int, status: int
) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        fields = _said(SoftKey.of(acme.bob), _shown(browser))
    with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
        assert _send(browser, fields).status_code == status


def test_a_challenge_of_another_person_session_or_purpose_is_none(acme: Acme) -> None:
    key = SoftKey.of(acme.bob)
    alices = signed_in_client(acme, acme.alice, proved=["app_code"])
    bobs, again = (signed_in_client(acme, acme.bob, proved=["app_code"]) for _ in range(2))
    door = bobs.get("/sign-in/passkey/").json()
    from_door = {
        "attestation": key.attestation(SITE, challenge_of(door["options"])),
        "challenge": door["challenge"],
    }

    for fields in (_said(key, _shown(alices)), _said(key, _shown(again)), from_door):
        assert _send(bobs, fields).status_code == 400
    assert _rows(acme, acme.bob) == []
    assert _send(bobs, _said(key, _shown(bobs))).status_code == 303


def test_one_credential_is_registered_once_in_a_tenant(acme: Acme, browser: Client) -> None:
    key = SoftKey.of(acme.bob)
    with acme.inside():
        give_passkey(acme.alice, SITE, key=key)

    answer = _send(browser, _said(key, _shown(browser)))

    assert answer.status_code == 409
    assert b"registered already" in answer.content
    assert _rows(acme, acme.bob) == []


def test_ten_passkeys_are_the_most(acme: Acme, browser: Client) -> None:
    page = _shown(browser)
    with acme.inside():
        for number in range(10):
            give_passkey(acme.bob, SITE, key=SoftKey.of(acme.bob, str(number)))

    answer = _send(browser, _said(SoftKey.of(acme.bob), page))

    assert answer.status_code == 409
    assert b"Remove one first" in answer.content
    assert len(_rows(acme, acme.bob)) == 10


def test_somebody_whose_sessions_ended_meanwhile_signs_in_first(
    acme: Acme, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.registration.methods import passkey
    from accounts.webauthn import find_new_credential

    fields = _said(SoftKey.of(acme.bob), _shown(browser))
    real = find_new_credential

    def meanwhile(*given: Any) -> Any:
        with acme.inside():
            User.objects.filter(pk=acme.bob.pk).update(session_epoch=9)
        return real(*given)

    monkeypatch.setattr(passkey, "find_new_credential", meanwhile)

    assert "/sign-in/" in _send(browser, fields).headers["Location"]
    assert _rows(acme, acme.bob) == []


def test_where_the_address_is_a_number_the_page_says_that_passkeys_can_not_work(
    acme: Acme,
) -> None:
    client = signed_in_client(acme, acme.bob)
    client.defaults["HTTP_HOST"] = "127.0.0.1"

    page = Page(client.get(ADD))

    assert (page.status, page.options) == (200, "")
    assert _send(client, {"attestation": "{}", "challenge": ""}).status_code == 400


def test_a_removed_passkey_is_gone_and_told(acme: Acme, beta: Beta, browser: Client) -> None:
    with acme.inside():
        mine = give_passkey(acme.bob, SITE)
        hers = give_passkey(acme.alice, SITE)
    with beta.inside():
        theirs = give_passkey(beta.bob, SITE)

    for entry in (hers.pk, theirs.pk, "x"):
        assert browser.post(f"{LIST}{entry}/").status_code == 404
    listed = browser.get(LIST).content.decode()
    removed = browser.post(f"{LIST}{mine.pk}/")

    assert "Test key, acme.sspr.test" in listed
    assert removed.status_code == 302
    assert _rows(acme, acme.bob) == []
    assert len(_rows(acme, acme.alice)) == len(_rows(beta, beta.bob)) == 1
    with acme.inside():
        assert AuditEvent.objects.filter(type="method.removed").count() == 1


def test_the_browser_is_told_which_passkeys_still_work_here(acme: Acme, browser: Client) -> None:
    key = SoftKey.of(acme.bob)
    with acme.inside():
        give_passkey(acme.bob, SITE, key=key)
        give_passkey(acme.bob, "https://elsewhere.example", key=SoftKey.of(acme.bob, "elsewhere"))

    text = browser.get(LIST).content.decode().replace("&quot;", '"')
    told = json.loads(text.partition('data-passkey-signal="')[2].partition('" hidden')[0])

    assert told["rpId"] == "acme.sspr.test"
    assert len(told["allAcceptedCredentialIds"]) == 1


def test_password_managers_find_the_pages(acme: Acme) -> None:
    answer = Client(headers={"host": acme.host}).get("/.well-known/passkey-endpoints")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "enroll": f"{SITE}/security-info/add/passkey/",
        "manage": f"{SITE}/security-info/",
    }


@pytest.mark.parametrize(
    ("aaguid", "agent", "name"),
    [
        ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", CHROME, "Apple Passwords"),
        ("00000000-0000-0000-0000-000000000000", CHROME, "Chrome on Windows"),
        (
            "",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("", "Mozilla/5.0 (X11; Linux x86_64) Chrome/156 Safari/537 Edg/156", "Edge on Linux"),
        ("", "Firefox/150.0", "Firefox"),
        ("", "curl/8", "Passkey"),
        ("", "", "Passkey"),
    ],
)
def test_a_passkey_is_named_after_its_make_or_the_browser(
    aaguid: str, agent: str, name: str
) -> None:
    assert suggested_name(aaguid, agent) == name


def test_names_stay_apart_and_fit() -> None:
    assert unused_name("Key", frozenset()) == "Key"
    assert unused_name("Key", frozenset({"Key", "Key 2"})) == "Key 3"
    longest = "n" * 64
    assert unused_name(longest, frozenset({longest})) == "n" * 62 + " 2"
    assert all(len(name) <= 64 and len(make) == 36 for make, name in MAKES.items())
