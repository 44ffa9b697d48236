"""`sspr-agent` on the command line: what it says, and what to do about it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.writeback.agent.conftest import Call
from tests.writeback.agent.product import Product, Said
from writeback.agent import VERSION, cli
from writeback.agent.identity import load_identity
from writeback.agent.journal import Journal


def test_an_enrolment_shows_the_words_that_the_administration_shows(
    call: Call, config: Path, plain: Product, tmp_path: Path
) -> None:
    code, out, err = call("enrol", typed="good-code\n")

    assert (code, err) == (0, "")
    identity = load_identity(tmp_path / "state")
    assert " ".join(identity.words()) in out
    [(_, body)] = plain.calls
    assert (body["name"], body["version"], body["protocol"]) == ("agent-1", VERSION, 1)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_code_can_come_from_a_file(call: Call, tmp_path: Path) -> None:
    (tmp_path / "code").write_text(" good-code \n")

    assert call("enrol", "--code-file", str(tmp_path / "code"))[0] == 0


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("bad-code\n", "the code is used, wrong or over"),
        ("\n", "that is no code"),
        ("x" * 300, "that is no code"),
        ("a\x00b\n", "that is no code"),
    ],
)
def test_a_code_that_is_none_changes_nothing(
    call: Call, tmp_path: Path, typed: str, says: str
) -> None:
    code, out, err = call("enrol", typed=typed)

    assert (code, out, says in err) == (1, "", True)
    assert not (tmp_path / "state" / "identity.json").exists()
    assert call("enrol", typed="good-code\n")[0] == 0


def test_a_code_is_good_once(call: Call, plain: Product) -> None:
    assert call("enrol", typed="good-code\n")[0] == 0

    code, _, err = call("enrol", "--replace", typed="good-code\n")

    assert (code, "get a new one" in err, len(plain.agents)) == (1, True, 1)


def _with(name: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {**body, name: value}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_with("words", ["other"] * 6), "somebody is in between"),
        (_with("agent", "x"), "no answer of the product"),
        (_with("signers", {}), "no answer of the product"),
        (_with("signers", []), "no answer of the product"),
        (lambda body: {"api": body["api"]}, "no answer of the product"),
    ],
)
def test_an_answer_that_can_t_be_right_enrols_nobody(
    call: Call, plain: Product, tmp_path: Path, change: Any, says: str
) -> None:
    def tamper(said: Said) -> Said:
        return plain.signed(replace(said, body=json.dumps(change(json.loads(said.body))).encode()))

    plain.tamper = tamper

    code, _, err = call("enrol", typed="good-code\n")

    assert (code, says in err) == (1, True)
    assert not (tmp_path / "state" / "identity.json").exists()


@pytest.mark.parametrize(
    ("turned", "says"), [((409, "upgrade_required"), "upgrade_required"), ((400, "x"), "400")]
)
def test_a_product_that_does_not_enrol_is_told(
    call: Call, plain: Product, turned: tuple[int, str], says: str
) -> None:
    plain.tamper = lambda said: replace(
        said, status=turned[0], body=json.dumps({"error": turned[1]}).encode()
    )

    code, _, err = call("enrol", typed="good-code\n")

    assert (code, says in err) == (1, True)


def test_a_product_that_is_not_there_is_told(call: Call, plain: Product) -> None:
    plain.is_down.set()

    code, _, err = call("enrol", typed="good-code\n")

    assert (code, plain.url in err) == (1, True)


def test_an_identity_is_replaced_only_on_demand_and_a_damaged_journal_put_aside(
    call: Call, plain: Product, tmp_path: Path
) -> None:
    call("enrol", typed="good-code\n")
    before = load_identity(tmp_path / "state").agent
    code, _, err = call("enrol", typed="other\n")
    assert (code, "--replace" in err) == (1, True)

    (tmp_path / "state" / "journal").write_bytes(b"nonsense\n")
    (tmp_path / "state" / "keys").mkdir()
    (tmp_path / "state" / "keys" / "x.json").write_text("{}")
    plain.codes.add("other")
    assert call("enrol", "--replace", typed="other\n")[0] == 0

    assert load_identity(tmp_path / "state").agent != before
    names = sorted(path.name.split("-")[0] for path in (tmp_path / "state").iterdir())
    assert names == ["identity.json", "journal.damaged"]


def test_a_running_agent_is_not_replaced_and_the_code_not_used_up(
    call: Call, plain: Product, tmp_path: Path
) -> None:
    call("enrol", typed="good-code\n")
    plain.codes.add("other")
    journal = Journal(tmp_path / "state" / "journal")

    code, _, err = call("enrol", "--replace", typed="other\n")
    journal.close()

    assert (code, "stop it first" in err, plain.codes) == (1, True, {"other"})


def test_a_state_that_can_t_be_written_is_told(call: Call, config: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")

    code, _, err = call("enrol", typed="good-code\n")

    assert (code, "File exists" in err) == (1, True)


def test_an_authority_that_is_not_there_is_told(call: Call, config: Path) -> None:
    config.write_text('ca_file = "/nowhere/ca.crt"\n' + config.read_text())

    code, _, err = call("enrol", typed="good-code\n")

    assert (code, "/nowhere/ca.crt" in err) == (1, True)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("scripted", "carrier_pigeon"), "no connector 'carrier_pigeon'"),
        (lambda text: text.replace("[directory.settings]", "[x]"), "x is no key here"),
        (lambda text: text.replace("/secret", "/nothing"), "No such file"),
    ],
)
def test_run_does_not_begin_with_what_can_t_be_right(
    call: Call, config: Path, change: Callable[[str], str], says: str
) -> None:
    call("enrol", typed="good-code\n")
    config.write_text(change(config.read_text()))

    code, _, err = call("run")

    assert (code, says in err) == (1, True)


def test_settings_that_the_connector_refuses_are_told(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*given: Any) -> Any:
        raise ValueError("base: Write a text.")

    call("enrol", typed="good-code\n")
    monkeypatch.setattr("tests.writeback.agent.process.from_settings", refuses)

    code, _, err = call("run")

    assert (code, "directory.settings: base: Write a text." in err) == (1, True)


def test_run_without_an_identity_says_what_to_do(call: Call) -> None:
    code, _, err = call("run")

    assert (code, "enrol this agent first" in err) == (1, True)


def test_run_on_a_state_in_use_says_so(call: Call, tmp_path: Path) -> None:
    call("enrol", typed="good-code\n")
    journal = Journal(tmp_path / "state" / "journal")

    code, _, err = call("run")
    journal.close()

    assert (code, "another agent runs on" in err) == (1, True)


def test_an_agent_that_never_ran_says_so(call: Call) -> None:
    code, out, _ = call("status")
    assert (code, "never ran here" in out, "enrol this agent first" in out) == (1, True, True)

    call("enrol", typed="good-code\n")
    code, out, _ = call("status")
    assert (code, "never ran here" in out, "not asked yet" in out) == (1, True, True)
    code, out, _ = call("status", "--json")
    assert (code, json.loads(out)["healthy"]) == (1, False)


def test_a_status_that_others_can_read_is_not_believed(call: Call, tmp_path: Path) -> None:
    call("enrol", typed="good-code\n")
    path = tmp_path / "state" / "status.json"
    path.write_text("{}")
    path.chmod(0o644)

    code, _, err = call("status")

    assert (code, f"chmod 600 {path}" in err) == (1, True)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = capsys.readouterr().out
    assert all(name in said for name in ("enrol", "run", "status"))
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert VERSION in capsys.readouterr().out
