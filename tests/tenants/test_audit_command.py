"""`verify_audit`: what it prints and with which status it ends."""

import json
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from tenants.audit_chain import seal_pending
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.services import create_tenant, get_platform
from tests.tenants.trail import NOW, tampering, write_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def contoso() -> UUID:
    """Contoso has three sealed events, Fabrikam one, the platform one."""
    made: UUID = create_tenant("contoso", "Contoso").id
    write_events(made, 3)
    write_events(create_tenant("fabrikam", "Fabrikam").id, 1)
    write_events(get_platform(), 1)
    assert seal_pending(NOW) == 5
    return made


def run(*arguments: object) -> tuple[int, str]:
    """Exit status, and everything it said."""
    output = StringIO()
    try:
        call_command("verify_audit", *map(str, arguments), stdout=output)
    except CommandError as error:
        return error.returncode, output.getvalue() + str(error)
    return 0, output.getvalue()


def edit(sequence: int, tenant: UUID) -> None:
    with tampering() as superuser:
        superuser.execute(
            "UPDATE tenants_auditevent SET result = 'success' WHERE id = (SELECT event_id"
            " FROM tenants_auditseal WHERE sequence = %s AND tenant_id = %s)",
            [sequence, tenant],
        )


def test_an_intact_trail_ends_with_0(contoso: UUID) -> None:
    assert run("contoso") == (0, "contoso: intact, 3 sealed, 0 waiting for their seal\n")


def test_a_tampered_trail_ends_with_1_and_the_first_bad_number(contoso: UUID) -> None:
    edit(2, contoso)

    status, said = run("contoso")

    assert status == 1
    assert "contoso: first bad sequence number 2: " in said
    assert run("fabrikam")[0] == 0


def test_without_a_tenant_all_are_checked_and_the_platform(contoso: UUID) -> None:
    status, said = run()
    assert status == 0
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        "contoso",
        "fabrikam",
        "(platform)",
    ]

    edit(1, get_platform())

    status, said = run()
    assert status == 1
    assert "contoso: intact" in said
    assert "(platform): first bad sequence number 1: " in said


@pytest.mark.parametrize("slug", ["nobody", ""])
def test_an_unknown_tenant_ends_with_2(contoso: UUID, slug: str) -> None:
    assert run(slug) == (2, f"there is no tenant called {slug!r}")


def test_a_tenant_that_is_switched_off_is_still_checked(contoso: UUID) -> None:
    with tenant_context(contoso):
        Tenant.objects.update(active=False)
    edit(3, contoso)

    status, said = run("contoso")

    assert status == 1
    assert "number 3" in said


def test_a_checkpoint_shows_a_cut_off_tail(contoso: UUID, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints"
    assert run("--write-checkpoint", kept)[0] == 0
    assert run("--checkpoint", kept)[0] == 0

    with tampering() as superuser:
        superuser.execute(
            "DELETE FROM tenants_auditevent WHERE id IN"
            " (SELECT event_id FROM tenants_auditseal WHERE sequence = 3)"
        )
        superuser.execute("DELETE FROM tenants_auditseal WHERE sequence = 3")
        superuser.execute(
            "UPDATE tenants_audithead SET sequence = 2, hash ="
            " (SELECT hash FROM tenants_auditseal WHERE sequence = 2) WHERE sequence = 3"
        )

    assert run()[0] == 0
    status, said = run("--checkpoint", kept)
    assert status == 1
    assert "contoso: first bad sequence number 3: " in said
    assert "fabrikam: intact" in said


def test_checkpoints_are_added_for_intact_trails_only(contoso: UUID, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoints"
    run("--write-checkpoint", kept)
    edit(1, contoso)

    assert run("--write-checkpoint", kept)[0] == 1

    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [line["tenant"] for line in lines].count(str(contoso)) == 1
    assert len(lines) == 5
    assert set(lines[0]) == {"tenant", "sequence", "hash", "time"}
    assert (lines[0]["sequence"], len(lines[0]["hash"])) == (3, 64)


def test_a_tenant_that_only_a_checkpoint_knows_is_missed(contoso: UUID, tmp_path: Path) -> None:
    kept, gone = tmp_path / "checkpoints", uuid4()
    line = {"tenant": str(gone), "sequence": 4, "hash": "00" * 32, "time": NOW.isoformat()}
    kept.write_text(json.dumps(line))

    status, said = run("--checkpoint", kept)

    assert status == 1
    assert f"{gone}: first bad sequence number 1: the tenant is gone" in said
    assert run("contoso", "--checkpoint", kept)[0] == 0


@pytest.mark.parametrize("content", ["no JSON", "[]", "{}", '{"tenant": "x"}', "\xff"])
def test_a_file_that_holds_no_checkpoints_ends_with_2(
    contoso: UUID, tmp_path: Path, content: str
) -> None:
    kept = tmp_path / "checkpoints"
    kept.write_text(content, encoding="latin-1")

    status, said = run("contoso", "--checkpoint", kept)

    assert status == 2
    assert "checkpoint" in said
    assert "intact" not in said


def test_a_file_that_is_not_there_ends_with_2(contoso: UUID, tmp_path: Path) -> None:
    assert run("--checkpoint", tmp_path / "none")[0] == 2
    assert run("--write-checkpoint", tmp_path / "none" / "file")[0] == 2
