"""`import_enrolment`: what it prints, writes and answers."""

import stat
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.imports import formats
from accounts.models import ImportRun
from tenants.models import AuditEvent
from tests.accounts.imports.files import MOBILE, OTHER, contacts_of, csv_of
from tests.cast import ALICE_MOBILE, Acme, Beta

pytestmark = pytest.mark.django_db
EVE, ALICE = "eve@acme.example", "alice@acme.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


def run(file: Path, *options: str, tenant: str = "acme") -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_enrolment", tenant, str(file), *options, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_a_file_is_applied_and_applied_again_has_nothing_to_do(acme: Acme, file: Path) -> None:
    file.write_bytes(csv_of(f"{EVE},{MOBILE}"))

    assert run(file, "--dry-run")[0] == 2
    with acme.inside():
        assert contacts_of(acme.eve) == {}
    code, out, err = run(file)
    assert (code, err) == (0, "")
    assert out == ("1 rows: 1 new, 0 change, 0 same, 0 kept, 0 problem.\n1 people were changed.\n")
    assert run(file)[:2] == (
        0,
        "1 rows: 0 new, 0 change, 1 same, 0 kept, 0 problem.\nThere was nothing to do.\n",
    )
    assert run(file, "--dry-run")[0] == 0
    with acme.inside():
        assert contacts_of(acme.eve) == {"mobile_phone": (MOBILE, False, 1)}
        [kept] = ImportRun.objects.all()
        assert (kept.state, kept.actor_label, kept.keeps_data) == ("applied", "command line", False)
        assert AuditEvent.objects.filter(type="import.applied").count() == 1


def test_one_wrong_row_keeps_everything_out(acme: Acme, file: Path) -> None:
    file.write_bytes(csv_of(f"{EVE},{MOBILE}", f"{ALICE},0170 123456"))

    code, out, err = run(file)

    assert code == 1
    assert out.endswith("Nothing was imported.\n")
    assert err.startswith(f"{file}:3: mobile_phone: This is not a phone number")
    assert "123456" not in err
    with acme.inside():
        assert contacts_of(acme.eve) == {}
    code, out, _ = run(file, "--mode", "rows")
    assert (code, out.splitlines()[-1]) == (1, "1 people were changed.")
    with acme.inside():
        assert contacts_of(acme.eve) == {"mobile_phone": (MOBILE, False, 1)}


def test_the_errors_are_written_for_the_owner_alone(acme: Acme, file: Path, tmp_path: Path) -> None:
    errors = tmp_path / "errors.csv"
    errors.write_text("old")
    errors.chmod(0o644)
    file.write_bytes(csv_of(f"{EVE},{MOBILE}", f"nobody@acme.example,{OTHER}"))

    assert run(file, "--dry-run", "--errors", str(errors))[0] == 1

    lines = errors.read_text("utf-8-sig").splitlines()
    assert (len(lines), lines[0]) == (2, "user_id,mobile_phone,error,suggestion")
    assert lines[1].startswith(f"nobody@acme.example,'{OTHER},user_id: There is no person")
    assert stat.S_IMODE(errors.stat().st_mode) == 0o600


def test_confirmed_contacts_are_kept_unless_told(acme: Acme, file: Path) -> None:
    file.write_bytes(csv_of(f"{ALICE},{MOBILE}"))

    code, out, _ = run(file)
    assert (code, "1 confirmed contacts are kept" in out) == (0, True)
    with acme.inside():
        assert contacts_of(acme.alice)["mobile_phone"] == (ALICE_MOBILE, True, 1)
    assert run(file, "--replace-confirmed")[0] == 0
    with acme.inside():
        assert contacts_of(acme.alice)["mobile_phone"] == (MOBILE, False, 2)


def test_an_operator_may_change_administrators(acme: Acme, file: Path) -> None:
    file.write_bytes(csv_of(f"carol@acme.example,{MOBILE}"))

    assert run(file)[0] == 0
    with acme.inside():
        assert contacts_of(acme.carol)["mobile_phone"][0] == MOBILE


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"user_id,totp_secret\na@acme.example,x\n", (), "totp_secret"),
        (csv_of(f"{EVE},{MOBILE}"), ("--format", "entra"), "does not read yet"),
        (csv_of(f"{EVE},{MOBILE}"), ("--format", "adselfservice"), "does not read yet"),
        (b"sAMAccountName,mobile\neve,1\n", (), "ADSelfService Plus"),
        (b"x" * (formats.MAX_BYTES + 1), (), "bigger than 10 MiB"),
    ],
)
def test_a_refused_file_ends_with_one(
    content: bytes, options: tuple[str, ...], told: str, acme: Acme, file: Path
) -> None:
    file.write_bytes(content)

    code, out, err = run(file, *options)

    assert (code, out) == (1, "")
    assert told in err
    assert err.endswith("Nothing was imported.\n")


def test_a_tenant_or_a_file_that_is_not_there_ends_with_one(acme: Acme, file: Path) -> None:
    assert run(file)[0] == 1
    file.write_bytes(csv_of(f"{EVE},{MOBILE}"))

    code, _, err = run(file, tenant="nobody")

    assert (code, "There is no tenant called nobody." in err) == (1, True)


def test_a_file_reaches_its_own_tenant_only(acme: Acme, beta: Beta, file: Path) -> None:
    file.write_bytes(csv_of(f"alice@beta.example,{MOBILE}"))

    assert run(file)[0] == 1
    assert run(file, "--replace-confirmed", tenant="beta")[0] == 0

    with beta.inside():
        assert contacts_of(beta.alice)["mobile_phone"] == (MOBILE, False, 2)


def test_problems_beyond_the_first_hundred_are_counted(acme: Acme, file: Path) -> None:
    file.write_bytes(csv_of(*(f"nobody{n}@acme.example,{MOBILE}" for n in range(103))))

    _, out, err = run(file)

    assert len(err.splitlines()) == 101
    assert "… and 3 more rows with problems" in err
    assert "103 problem" in out
