"""`manage.py test_password`: the rules' answer to a password from standard input, and no trace."""

import io
import json
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tenants.models import AuditEvent, Counter
from tests.cast import NEW_PASSWORD, PASSWORD, Acme


def judge(
    monkeypatch: pytest.MonkeyPatch, password: bytes | str, *options: str, user_id: str = ""
) -> dict[str, Any]:
    data = password.encode() if isinstance(password, str) else password
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    out = io.StringIO()
    call_command("test_password", user_id or "bob@acme.example", "--json", *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    assert set(answer) >= {"accepted", "violations", "score"}
    return answer


def codes(answer: dict[str, Any]) -> set[str]:
    return {violation["code"] for violation in answer["violations"]}


def test_a_good_password_is_accepted(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = judge(monkeypatch, NEW_PASSWORD)

    assert (answer["accepted"], answer["violations"]) == (True, [])
    assert answer["score"] in range(5)


def test_each_reason_has_a_code_and_a_sentence(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = judge(monkeypatch, "brown")

    assert answer["accepted"] is False
    assert len(codes(answer)) >= 2
    for violation in answer["violations"]:
        assert set(violation) == {"code", "message"}
        assert violation["message"][0].isupper()


def test_the_line_end_is_not_part_of_it_and_blanks_are(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = ("--operation", "change")
    for end in ("", "\n", "\r\n"):
        assert codes(judge(monkeypatch, f"{PASSWORD}{end}", *change)) == {"reused"}
    assert codes(judge(monkeypatch, f"{PASSWORD} \n", *change)) == set()


def test_only_a_change_may_not_use_the_last_password_again(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert judge(monkeypatch, PASSWORD, "--operation", "reset")["accepted"]
    assert judge(monkeypatch, PASSWORD)["accepted"]
    assert not judge(monkeypatch, PASSWORD, "--operation", "change")["accepted"]


def test_it_stores_and_says_nothing_of_the_password(
    acme: Acme, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with acme.inside():
        acme.bob.refresh_from_db()
        before = acme.bob.password
    for password in ("Unusual-Secret 41", "unusualsecret"):
        answer = judge(monkeypatch, password)
        assert password not in json.dumps(answer)

    seen = capfd.readouterr()
    assert "nusual" not in seen.out + seen.err
    with acme.inside():
        acme.bob.refresh_from_db()
        assert acme.bob.password == before
        assert not AuditEvent.objects.exists()
        assert not Counter.objects.exists()


@pytest.mark.parametrize("user_id", ["nobody@acme.example", "x@nowhere.example", "x"])
def test_for_nobody_it_ends_with_two(
    acme: Acme, monkeypatch: pytest.MonkeyPatch, user_id: str
) -> None:
    with pytest.raises(CommandError, match="nobody has this user ID") as failed:
        judge(monkeypatch, NEW_PASSWORD, user_id=user_id)

    assert failed.value.returncode == 2


def test_what_is_not_utf8_ends_with_two(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="UTF-8") as failed:
        judge(monkeypatch, b"\xff\xfe Quiet")

    assert failed.value.returncode == 2


def test_a_guest_is_found_by_the_registered_email(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert judge(monkeypatch, NEW_PASSWORD, user_id="iris@example.org")["accepted"]
    assert judge(monkeypatch, NEW_PASSWORD, "--tenant", "acme", user_id="iris@example.org")[
        "accepted"
    ]


def test_without_json_it_speaks_in_lines(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"brown\n")))
    out = io.StringIO()
    call_command("test_password", "bob@acme.example", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0] == "not accepted"
    assert "strength" in lines[-1]
    assert "brown" not in out.getvalue()
