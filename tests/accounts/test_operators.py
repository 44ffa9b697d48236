"""Operators are made by a command, which reads the password from standard input."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Session, User
from tenants.context import tenant_context
from tenants.services import get_platform
from tests.tenants.operator_cast import (
    OPERATOR,
    OPERATOR_PASSWORD,
    events_in,
    operator_client,
    try_operator,
    types_in,
)

pytestmark = pytest.mark.django_db
OTHER = "Quiet Harbour 7 Lanterns"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = OPERATOR_PASSWORD) -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    call_command("create_operator", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_makes_an_operator_who_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(monkeypatch, "Olga@Ops.example").splitlines()
    assert told[0] == "created; signs in at /operator/"
    assert told[1].startswith("authenticator app, set up key (shown once): ")

    assert operator_client().get("/operator/tenants/").status_code == 200
    [event] = events_in(get_platform(), "operator.created")
    assert (event.actor_label, event.target_label) == ("command line", OPERATOR)
    with tenant_context(get_platform()):
        user = User.objects.get()
        assert (user.roles, user.is_staff) == (["operator"], False)
        assert OPERATOR_PASSWORD not in user.password


@pytest.mark.parametrize(
    ("user_id", "typed", "words"),
    [
        ("olga", OPERATOR_PASSWORD, "name@domain"),
        (OPERATOR, "Short-7-Lanter", "15"),
        (OPERATOR, "short", "15"),
        (OPERATOR, "olga@ops.example olga", "user ID|name"),
    ],
)
def test_who_can_not_be_an_operator_is_refused_without_the_password(
    user_id: str, typed: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=words) as refusal:
        run(monkeypatch, user_id, typed=typed)

    assert typed not in str(refusal.value)
    assert types_in(get_platform(), "operator") == []


def test_an_operator_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, OPERATOR)

    with pytest.raises(CommandError, match="already"):
        run(monkeypatch, OPERATOR, typed=OTHER)

    assert operator_client().get("/operator/tenants/").status_code == 200


def test_a_replaced_password_ends_the_old_one_and_every_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(monkeypatch, OPERATOR)
    before = operator_client()

    assert run(monkeypatch, OPERATOR, "--replace-password", typed=OTHER) == "password replaced\n"

    assert before.get("/operator/tenants/").status_code == 302
    client = Client(headers={"host": "localhost"})
    assert try_operator(client).status_code == 200
    assert try_operator(client, password=OTHER).status_code == 302
    assert "operator.password_replaced" in types_in(get_platform())


def test_a_disabled_operator_is_out_at_once_and_in_again_with_a_new_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(monkeypatch, OPERATOR)
    client = operator_client()

    assert run(monkeypatch, OPERATOR, "--disable") == "disabled\n"

    assert client.get("/operator/tenants/").status_code == 302
    assert try_operator(client).status_code == 200
    with tenant_context(get_platform()):
        assert not Session.objects.filter(user__isnull=False).exists()
    run(monkeypatch, OPERATOR, "--replace-password", typed=OTHER)
    assert try_operator(client, password=OTHER).status_code == 302


@pytest.mark.parametrize("option", ["--disable", "--replace-password"])
def test_nobody_is_changed_who_is_no_operator(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="no operator"):
        run(monkeypatch, "nobody@ops.example", option)
