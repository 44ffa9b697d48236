"""A directory behind SCIM, over HTTP, against a service of the shape of the two RFCs."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from tests.services.faulty import Fault
from tests.services.ports import free_port
from tests.services.scim import ALICE, MUST_CHANGE, START, TOKEN, ScimDouble
from writeback.connectors.base import Change, DirectoryRules, Rights, Unanswered, Unreachable
from writeback.connectors.scim import ScimConnection, ScimDirectory, from_settings
from writeback.connectors.settings import SettingWrong

NEW = "  Grüße \"und' 👩‍🚀 e\u0301 "
USER = rf"/scim/v2/Users/{ALICE}"
CONFIG = "/scim/v2/ServiceProviderConfig"
SHORT = {"connect_timeout": 1.0, "receive_timeout": 1.0}


@pytest.fixture
def service() -> Iterator[ScimDouble]:
    double = ScimDouble()
    double.start()
    yield double
    double.stop()


def directory(double: ScimDouble, **more: object) -> ScimDirectory:
    written = {"base": f"{double.base}/", "is_test": True, **more}
    return from_settings(written, lambda: TOKEN)


def connected(double: ScimDouble, **more: object) -> AbstractContextManager[ScimConnection]:
    return directory(double, **more).connect()


def reset(connection: ScimConnection, new: str = NEW, *, must_change: bool = False) -> Change:
    entry = connection.find(ALICE)
    assert entry is not None
    return connection.set_password(entry, new, unlock=True, must_change=must_change)


def test_a_reset_sets_the_password_exactly_and_nothing_else(service: ScimDouble) -> None:
    service.alice.active = False
    with connected(service) as connection:
        done = reset(connection)

    (patch,) = service.of("PATCH")
    assert done == Change()
    assert (service.alice.password, service.alice.active) == (NEW, False)
    assert patch.json()["Operations"] == [{"op": "replace", "path": "password", "value": NEW}]
    assert patch.headers["if-match"] == 'W/"1"'
    assert patch.body.isascii()


def test_another_password_is_asked_for_where_the_service_has_a_name_for_it(
    service: ScimDouble,
) -> None:
    with connected(service) as connection:
        refused = reset(connection, must_change=True)
    assert (refused, service.of("PATCH")) == (Change("unsupported"), [])

    with connected(service, must_change_path=MUST_CHANGE) as connection:
        done = reset(connection, must_change=True)
    assert (done, service.alice.must_change) == (Change(), True)


def test_nothing_is_set_on_a_person_who_was_changed_meanwhile(service: ScimDouble) -> None:
    with connected(service) as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        service.touch(service.alice)
        refused = connection.set_password(alice, NEW, unlock=False, must_change=False)
        done = reset(connection)

    assert (refused.cause, refused.code) == ("busy", "412")
    assert (done, service.alice.password) == (Change(), NEW)


@pytest.mark.parametrize(("offers", "version"), [(False, 1), (True, 0)])
def test_a_service_without_versions_is_not_asked_for_one(
    service: ScimDouble, offers: bool, version: int
) -> None:
    service.offer.etag = offers
    with connected(service) as connection:
        if not version:
            shown = {"id": ALICE, "meta": {"version": "zwei\nZeilen"}}
            service.fail("GET", USER, Fault("status", 200, shown))
        assert reset(connection) == Change()

    assert "if-match" not in service.of("PATCH")[0].headers


@pytest.mark.parametrize(
    ("fault", "cause", "code"),
    [
        (Fault("status", 400, {"scimType": "invalidValue"}), "password_rules", "400 invalidValue"),
        (Fault("status", 400, {"scimType": "mutability"}), "unsupported", "400 mutability"),
        (Fault("status", 400, {"scimType": 3}), "refused", "400"),
        (Fault("status", 401), "no_right_to_reset", "401"),
        (Fault("status", 403), "no_right_to_reset", "403"),
        (Fault("status", 404), "person_missing", "404"),
        (Fault("status", 429), "busy", "429"),
        (Fault("status", 503, headers={"Retry-After": "9"}), "busy", "503"),
        (Fault("status", 307, headers={"Location": "https://x.example/"}), "refused", "307"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(
    service: ScimDouble, fault: Fault, cause: str, code: str
) -> None:
    with connected(service) as connection:
        service.fail("PATCH", USER, fault)
        refused = reset(connection)
        before = service.alice.password
        done = reset(connection)

    assert (refused.cause, refused.code, before) == (cause, code, "Start-Passw0rd-1")
    assert (done, service.alice.password) == (Change(), NEW)


def test_the_rules_and_rights_of_the_service_hold(service: ScimDouble) -> None:
    with connected(service) as connection:
        short = reset(connection, "too short")
        service.offer.may_write = False
        refused = reset(connection)

    assert (short.cause, refused.cause) == ("password_rules", "no_right_to_reset")
    assert service.alice.password == "Start-Passw0rd-1"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500),
        Fault("status", 503),
        Fault("hang"),
        Fault("hang", after=True),
        Fault("drop"),
        Fault("drop", after=True),
        Fault("drip"),
    ],
)
def test_after_an_answer_that_tells_nothing_the_time_of_the_change_does(
    service: ScimDouble, fault: Fault
) -> None:
    with connected(service, **SHORT) as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        before = connection.witness(alice)
        service.fail("PATCH", USER, fault)
        with pytest.raises(Unanswered) as caught:
            connection.set_password(alice, NEW, unlock=False, must_change=False)
        after = connection.witness(alice)

    assert caught.value.controller == before.controller == after.controller
    assert before.changed_at == START
    assert (after.version > before.version) is fault.after
    assert (service.alice.password == NEW) is fault.after


def test_an_entry_is_as_the_service_has_it(service: ScimDouble) -> None:
    service.offer.users["x+1:a@b=c,d"] = replace(service.alice, login="x", active=False)
    with connected(service) as connection:
        alice, other = connection.find(ALICE), connection.find("x+1:a@b=c,d")

        assert alice is not None
        assert (alice.anchor, alice.login, alice.enabled) == (ALICE, "alice@contoso.example", True)
        assert (alice.protected, alice.locked, alice.changed_at) == (False, False, None)
        assert other is not None
        assert (other.login, other.enabled) == ("x", False)
        assert connection.rules(alice) == DirectoryRules()


def test_a_missing_person_is_nobody_and_has_no_witness(service: ScimDouble) -> None:
    with connected(service) as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        assert connection.find("nobody") is None
        with pytest.raises(Unreachable):
            connection.witness(replace(alice, anchor="nobody"))


def test_a_service_that_does_not_say_when_has_no_witness(service: ScimDouble) -> None:
    with connected(service) as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        assert connection.witness(alice).changed_at == START
        service.offer.shows_modified = False
        with pytest.raises(Unreachable) as caught:
            connection.witness(alice)

    assert caught.value.trouble == "configuration"


@pytest.mark.parametrize(
    ("offer", "reset_too"),
    [
        ({}, True),
        ({"shows_schemas": False}, True),
        ({"patch": False}, False),
        ({"change_password": False}, False),
        ({"mutability": "readOnly"}, False),
    ],
)
def test_rights_are_what_the_service_says_it_offers(
    service: ScimDouble, offer: dict[str, Any], reset_too: bool
) -> None:
    service.offer = replace(service.offer, **offer)
    with connected(service, must_change_path=MUST_CHANGE) as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        rights = connection.rights(alice)

    assert rights == Rights(reset=reset_too, unlock=False, must_change=reset_too)


def test_a_service_that_patches_nothing_is_sent_no_password(service: ScimDouble) -> None:
    service.offer.patch = False
    with connected(service) as connection:
        assert reset(connection) == Change("unsupported")

    assert service.of("PATCH") == []


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Fault("status", 401), "account"),
        (Fault("status", 503), "unreachable"),
        (Fault("status", 302, headers={"Location": "https://x.example/"}), "configuration"),
        (Fault("drop"), "unreachable"),
    ],
)
def test_a_service_that_can_not_be_used_says_why(
    service: ScimDouble, fault: Fault, trouble: str
) -> None:
    service.fail("GET", CONFIG, fault)
    with pytest.raises(Unreachable) as caught, connected(service):
        raise AssertionError("connected")

    assert caught.value.trouble == trouble
    with connected(service) as connection:
        service.fail("GET", USER, fault)
        with pytest.raises(Unreachable) as again:
            connection.find(ALICE)
        assert connection.find(ALICE) is not None
    assert again.value.trouble == trouble


def test_another_person_than_the_one_asked_for_is_none(service: ScimDouble) -> None:
    with connected(service) as connection:
        service.fail("GET", USER, Fault("status", 200, {"id": "another"}))
        with pytest.raises(Unreachable) as caught:
            connection.find(ALICE)

    assert caught.value.trouble == "configuration"


@pytest.mark.parametrize("token", ["", "zwei\nZeilen", "Grüße"])
def test_a_token_that_is_none_is_not_sent(service: ScimDouble, token: str) -> None:
    wrong = from_settings({"base": service.base, "is_test": True}, lambda: token)
    with pytest.raises(Unreachable) as caught, wrong.connect():
        raise AssertionError("connected")

    assert (caught.value.trouble, service.asked) == ("configuration", [])


def test_a_wrong_token_is_the_account(service: ScimDouble) -> None:
    wrong = from_settings({"base": service.base, "is_test": True}, lambda: "another")
    with pytest.raises(Unreachable) as caught, wrong.connect():
        raise AssertionError("connected")

    assert caught.value.trouble == "account"


def test_nobody_signs_in_through_scim(service: ScimDouble) -> None:
    with connected(service) as connection:
        alice = connection.find(ALICE)
    assert alice is not None
    before = len(service.asked)

    assert directory(service).sign_in(alice, "Start-Passw0rd-1") == "refused"
    assert directory(service).sign_in(alice, "") == "wrong"
    assert len(service.asked) == before


def test_another_service_than_the_one_that_was_asked_for_is_none(service: ScimDouble) -> None:
    with directory(service).connect(service.url.removeprefix("http://")) as connection:
        assert connection.find(ALICE) is not None
    with pytest.raises(Unreachable), directory(service).connect("elsewhere"):
        raise AssertionError("connected")


def test_nobody_answers_where_nobody_listens() -> None:
    written = {"base": f"http://127.0.0.1:{free_port()}/scim", "is_test": True}
    with pytest.raises(Unreachable) as caught, from_settings(written, lambda: TOKEN).connect():
        raise AssertionError("connected")

    assert caught.value.trouble == "unreachable"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base", None),
        ("base", "http://scim.example/v2"),
        ("must_change_path", 'x"] eq 1'),
        ("token", "in the wrong place"),
    ],
)
def test_a_wrong_setting_is_named(service: ScimDouble, name: str, value: Any) -> None:
    with pytest.raises(SettingWrong) as caught:
        directory(service, **{name: value})

    assert caught.value.name == name


def test_no_password_is_in_what_an_error_says_or_carries(service: ScimDouble) -> None:
    with connected(service, **SHORT) as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        service.fail("PATCH", USER, Fault("drop"))
        with pytest.raises(Unanswered) as caught:
            connection.set_password(alice, NEW, unlock=False, must_change=False)

    told = json.dumps([str(caught.value), repr(caught.value), repr(caught.value.args)])
    assert NEW.strip() not in told
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
