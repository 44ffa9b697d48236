"""Entra ID over HTTP, against a service of the shape that Microsoft's pages describe."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.services.faulty import Fault
from tests.services.graph import ADMIN, ALICE, START, GraphDouble
from tests.writeback.connectors.entra import NEW, OPERATION, SHORT, USER, WAYS, connected, reset
from writeback.connectors.base import Change, Rights, Unanswered, Unreachable


@pytest.mark.parametrize("way", ["profile", "operation"])
@pytest.mark.parametrize("must_change", [True, False])
def test_a_reset_sets_the_password_exactly_and_asks_for_another_only_where_that_is_wanted(
    graph: GraphDouble, way: str, must_change: bool
) -> None:
    with connected(graph, way=way) as connection:
        done = reset(connection, must_change=must_change)

    assert done == Change()
    assert (graph.alice.password, graph.alice.force) == (NEW, must_change)
    assert graph.alice.sessions_ended == 0


@pytest.mark.parametrize("way", ["profile", "operation"])
def test_sessions_end_where_the_tenant_wants_it(graph: GraphDouble, way: str) -> None:
    with connected(graph, way=way, revoke_sessions=True) as connection:
        assert reset(connection) == Change()

    assert graph.alice.sessions_ended == 1


@pytest.mark.parametrize("way", ["profile", "operation"])
def test_a_refused_password_is_told_as_one(graph: GraphDouble, way: str) -> None:
    with connected(graph, way=way, revoke_sessions=True) as connection:
        done = reset(connection, "too short")

    assert (done.cause, bool(done.code)) == ("password_rules", True)
    assert graph.alice.password == "Start-Passw0rd-1"
    assert graph.alice.sessions_ended == 0


def test_an_operation_is_asked_for_until_it_ended(graph: GraphDouble) -> None:
    graph.tenant.polls = 5
    graph.fail("GET", OPERATION, Fault("drop"), Fault("status", 500), Fault("hang"))
    graph.fail("GET", OPERATION, Fault("status", 429, headers={"Retry-After": "0"}))

    with connected(graph, way="operation", **SHORT) as connection:
        done = reset(connection)

    questions = [asked for asked in graph.of("GET") if "/operations/" in asked.path]
    assert (done, graph.alice.password, len(questions)) == (Change(), NEW, 9)
    assert all(asked.query == {"aadgdc": ["DUB02P"]} for asked in questions)


def test_an_operation_that_does_not_end_in_time_may_still_be_done(graph: GraphDouble) -> None:
    graph.tenant.polls = 10**6

    with connected(graph, way="operation", operation_timeout=0.2) as connection:
        with pytest.raises(Unanswered) as caught:
            reset(connection)

        assert caught.value.controller == connection.controller


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/v1.0/users/x/authentication/operations/1",
        "/v1.0/users/x/authentication/operations/1",
        "{graph}/v1.0/me",
        "{graph}/v1.0.elsewhere.example/users/",
        "{graph}/v1.0@elsewhere.example/users/",
    ],
)
def test_the_token_is_shown_to_nobody_but_the_service(graph: GraphDouble, location: str) -> None:
    graph.tenant.location = location.format(graph=graph.url)

    with connected(graph, way="operation") as connection, pytest.raises(Unanswered):
        reset(connection)

    assert not [asked for asked in graph.of("GET") if "operations" in asked.path]


@pytest.mark.parametrize(
    ("way", "fault", "cause"),
    [
        ("operation", Fault("status", 429, headers={"Retry-After": "5"}), "busy"),
        ("operation", Fault("status", 503, headers={"Retry-After": "5"}), "busy"),
        ("operation", Fault("status", 404), "person_missing"),
        ("operation", Fault("status", 403), "no_right_to_reset"),
        ("operation", Fault("status", 308, headers={"Location": "https://x.example/"}), "refused"),
        ("profile", Fault("status", 429), "busy"),
        ("profile", Fault("status", 400, b"no JSON"), "refused"),
        ("profile", Fault("status", 400, {"error": "a text"}), "refused"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(
    graph: GraphDouble, way: str, fault: Fault, cause: str
) -> None:
    graph.fail(*WAYS[way], fault)

    with connected(graph, way=way) as connection:
        done = reset(connection)
        refused_at = len(graph.asked)
        again = reset(connection)

    assert (done.cause, done.code) == (cause, str(fault.status))
    assert refused_at == 4
    assert (again, graph.alice.password) == (Change(), NEW)


@pytest.mark.parametrize("way", ["profile", "operation"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500),
        Fault("status", 503),
        Fault("hang", after=True),
        Fault("hang"),
        Fault("drop", after=True),
        Fault("drop"),
        Fault("drip"),
    ],
)
def test_after_an_answer_that_tells_nothing_the_time_of_the_change_does(
    graph: GraphDouble, way: str, fault: Fault
) -> None:
    graph.tenant.polls = 1
    with connected(graph, way=way, **SHORT) as connection:
        entry = connection.find(ALICE)
        assert entry is not None
        before = connection.witness(entry)
        graph.fail(*WAYS[way], fault)
        with pytest.raises(Unanswered):
            connection.set_password(entry, NEW, unlock=False, must_change=False)
        after = connection.witness(entry)

    assert before.changed_at == START
    was_done = fault.after and way == "profile"
    assert (after.version > before.version) is was_done
    assert (graph.alice.password == NEW) is was_done


def test_what_fails_after_the_password_is_set_is_noted_and_the_password_stays(
    graph: GraphDouble,
) -> None:
    graph.fail("PATCH", USER, Fault("status", 403), Fault("drop"))
    graph.fail("POST", ".*/revokeSignInSessions", Fault("status", 403))

    with connected(graph, way="operation", revoke_sessions=True) as connection:
        noted = [reset(connection), reset(connection)]

    assert [done.code for done in noted] == ["revoke 403", "force no answer"]
    assert all(done.done for done in noted)
    assert (graph.alice.password, graph.alice.force) == (NEW, True)


def test_without_the_right_nothing_is_set(graph: GraphDouble) -> None:
    graph.tenant.may_reset = graph.tenant.may_write = False

    for way in ("profile", "operation"):
        with connected(graph, way=way) as connection:
            assert reset(connection).cause == "no_right_to_reset"

    assert graph.alice.password == "Start-Passw0rd-1"


def test_an_entry_is_as_the_service_has_it(graph: GraphDouble) -> None:
    graph.alice.enabled = False
    with connected(graph) as connection:
        alice, admin = connection.find(ALICE.upper()), connection.find(ADMIN)

        assert alice is not None
        assert (alice.anchor, alice.login) == (ALICE, "alice@contoso.example")
        assert (alice.enabled, alice.protected, alice.changed_at) == (False, False, START)
        assert connection.rights(alice) == Rights(reset=True, unlock=False, must_change=True)
        assert admin is not None
        assert admin.protected
        assert connection.rights(admin) == Rights(reset=False, unlock=False, must_change=False)


def test_who_never_had_a_password_has_a_witness_that_the_first_one_moves(
    graph: GraphDouble,
) -> None:
    graph.alice.changed_at = None
    with connected(graph) as connection:
        entry = connection.find(ALICE)
        assert entry is not None
        before = connection.witness(entry)
        reset(connection)
        after = connection.witness(entry)

    assert (entry.changed_at, before.version) == (None, 0)
    assert (after.version, after.changed_at) == (
        round((START + timedelta(seconds=1)).timestamp() * 1_000_000),
        START + timedelta(seconds=1),
    )


def test_a_missing_person_is_nobody_and_has_no_witness(graph: GraphDouble) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    with connected(graph) as connection:
        alice = connection.find(ALICE)
        assert alice is not None
        assert connection.find(nobody) is None
        with pytest.raises(Unreachable):
            connection.witness(replace(alice, anchor=nobody))


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Fault("status", 401), "account"),
        (Fault("status", 403), "account"),
        (Fault("status", 429), "unreachable"),
        (Fault("status", 500), "unreachable"),
        (Fault("status", 302, headers={"Location": "https://x.example/"}), "configuration"),
        (Fault("status", 200, {"id": ADMIN}), "configuration"),
        (Fault("status", 200, b"<html>"), "configuration"),
        (Fault("status", 200, b"[" * 100_000), "configuration"),
        (Fault("status", 200, b" " * (1024 * 1024 + 1)), "unreachable"),
        (Fault("hang"), "unreachable"),
        (Fault("drop"), "unreachable"),
        (Fault("drip"), "unreachable"),
    ],
)
def test_reading_says_what_is_in_the_way(graph: GraphDouble, fault: Fault, trouble: str) -> None:
    with connected(graph, **SHORT) as connection:
        graph.fail("GET", USER, fault)
        with pytest.raises(Unreachable) as caught:
            connection.find(ALICE)
        found = connection.find(ALICE)

    assert caught.value.trouble == trouble
    assert found is not None
