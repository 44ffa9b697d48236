"""What is in the way of Entra ID's connector: the service, its token, its settings."""

from typing import Any

import pytest

from tests.services.faulty import Fault
from tests.services.graph import ADMIN, ALICE, CLIENT, SECRET, TENANT, GraphDouble
from tests.services.ports import free_port
from tests.writeback.connectors.entra import connected, directory, settings
from writeback.connectors.base import Unreachable
from writeback.connectors.entra_id import from_settings
from writeback.connectors.settings import SettingWrong


def test_an_administrator_can_not_be_taken_for_a_person(graph: GraphDouble) -> None:
    with connected(graph) as connection:
        graph.fail("GET", ".*directoryRole", Fault("status", 404), Fault("status", 200, {}))
        for _ in range(2):
            with pytest.raises(Unreachable):
                connection.find(ADMIN)
        graph.tenant.may_read_roles = False
        with pytest.raises(Unreachable) as caught:
            connection.find(ADMIN)

    assert caught.value.trouble == "account"


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Fault("status", 401, {"error": "invalid_client"}), "account"),
        (Fault("status", 400, {"error": "unauthorized_client"}), "account"),
        (Fault("status", 400, {"error": "invalid_request"}), "configuration"),
        (Fault("status", 200, {"access_token": "zwei\nZeilen"}), "configuration"),
        (Fault("status", 200, {}), "configuration"),
        (Fault("status", 429), "unreachable"),
        (Fault("status", 500), "unreachable"),
        (Fault("drop"), "unreachable"),
    ],
)
def test_a_token_that_does_not_come_says_why(
    graph: GraphDouble, fault: Fault, trouble: str
) -> None:
    graph.fail("POST", ".*/token", fault)
    with pytest.raises(Unreachable) as caught, connected(graph):
        raise AssertionError("connected")

    assert caught.value.trouble == trouble
    with connected(graph) as connection:
        assert connection.find(ALICE) is not None


def test_a_wrong_secret_is_the_account(graph: GraphDouble) -> None:
    wrong = from_settings(settings(graph), lambda: "another secret")
    with pytest.raises(Unreachable) as caught, wrong.connect():
        raise AssertionError("connected")

    assert (caught.value.trouble, caught.value.detail) == ("account", "invalid_client")


def test_nobody_answers_where_nobody_listens(graph: GraphDouble) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable) as caught, connected(graph, login=nobody):
        raise AssertionError("connected")
    assert caught.value.trouble == "unreachable"

    # The token is for the service that it is asked for, so the double gives none for another.
    with pytest.raises(Unreachable) as caught, connected(graph, graph=f"{nobody}/v1.0"):
        raise AssertionError("connected")
    assert caught.value.trouble == "configuration"


def test_another_service_than_the_one_that_was_asked_for_is_none(graph: GraphDouble) -> None:
    with directory(graph).connect(graph.url.removeprefix("http://")) as connection:
        assert connection.controller == graph.url.removeprefix("http://")
    with pytest.raises(Unreachable), directory(graph).connect("elsewhere"):
        raise AssertionError("connected")


@pytest.mark.parametrize(
    ("number", "password", "answer"),
    [
        (0, "Start-Passw0rd-1", "right"),
        (50076, "Start-Passw0rd-1", "right"),
        (50053, "Start-Passw0rd-1", "locked"),
        (50055, "Start-Passw0rd-1", "expired"),
        (0, "another", "wrong"),
        (0, "", "wrong"),
    ],
)
def test_a_sign_in_is_tried_where_the_tenant_allows_it(
    graph: GraphDouble, number: int, password: str, answer: str
) -> None:
    graph.alice.error = number
    with connected(graph) as connection:
        alice = connection.find(ALICE)
    assert alice is not None

    assert directory(graph, signs_in=True).sign_in(alice, password) == answer
    before = len(graph.asked)
    expected = "refused" if password else "wrong"
    assert directory(graph).sign_in(alice, password) == expected
    assert len(graph.asked) == before


def test_an_answer_without_numbers_proves_nothing(graph: GraphDouble) -> None:
    with connected(graph) as connection:
        alice = connection.find(ALICE)
    assert alice is not None
    graph.fail("POST", ".*/token", Fault("status", 400, {"error": "invalid_grant"}))

    assert directory(graph, signs_in=True).sign_in(alice, "x") == "refused"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("graph", "http://graph.microsoft.com/v1.0"),
        ("graph", "https://user@graph.example/v1.0"),
        ("graph", "https://graph.example/v1.0?x=1"),
        ("graph", "https://graph.example/v1.0#x"),
        ("graph", "https://graph.example:port"),
        ("graph", "https://grüße.example"),
        ("graph", "graph.microsoft.com"),
        ("login", "https://login.example/a b"),
        ("login", "http://127.0.0.1.example"),
        ("login", ""),
        ("tenant", "../other"),
        ("tenant", ""),
        ("way", "both"),
        ("poll_every", 0),
        ("client_secret", "in the wrong place"),
    ],
)
def test_a_wrong_setting_is_named(graph: GraphDouble, name: str, value: Any) -> None:
    with pytest.raises(SettingWrong) as caught:
        directory(graph, **{name: value})

    assert caught.value.name == name


@pytest.mark.parametrize(
    ("name", "value", "is_test", "accepted"),
    [
        ("login", "http://127.0.0.1:1", True, True),
        ("login", "http://localhost:1", True, True),
        ("login", "http://[::1]:1", True, True),
        ("login", "http://127.0.0.1:1", False, False),
        ("login", "http://10.0.0.1:1", True, False),
        ("login", "https://login.example", False, True),
    ],
)
def test_only_a_test_on_this_machine_goes_without_tls(
    name: str, value: str, is_test: bool, accepted: bool
) -> None:
    written = {"tenant": TENANT, "client": CLIENT, name: value, "is_test": is_test}
    if accepted:
        assert from_settings(written, lambda: SECRET).settings.login == value
    else:
        with pytest.raises(SettingWrong):
            from_settings(written, lambda: SECRET)
