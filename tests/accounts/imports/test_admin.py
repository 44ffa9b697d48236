"""The import pages: upload, check, confirm, result; for those who may, and for the own tenant."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import get_commands
from django.test import Client

from accounts.imports.formats import MAX_BYTES, open_file
from accounts.models import ContactPoint, ImportRun, User
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.accounts.imports.files import MOBILE, csv_of
from tests.tenants.admin.cast import CANARY, House, canary, contoso, make_person, signed_in

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/accounts/importrun/import/"
LIST = "/admin/accounts/importrun/"


@pytest.fixture
def own() -> House:
    house = contoso()
    with tenant_context(house.tenant):
        make_person("eve@contoso.example", "Eve")
    return house


def send(client: Client, content: bytes, name: str = "people.csv", **fields: str) -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(UPLOAD, {"import_file": file, "format": "auto", "mode": "all", **fields})


def sent_run(client: Client, house: House, content: bytes, **fields: str) -> ImportRun:
    answer = send(client, content, **fields)
    assert answer.status_code == 302, answer.content.decode()
    with tenant_context(house.tenant):
        run: ImportRun = ImportRun.objects.latest("created_at")
    assert answer.headers["Location"] == f"{LIST}{run.pk}/change/"
    return run


def page_of(client: Client, run: ImportRun) -> str:
    answer = client.get(f"{LIST}{run.pk}/change/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def mobiles(house: House, user_id: str) -> list[str]:
    with tenant_context(house.tenant):
        rows = ContactPoint.objects.filter(user__user_id=user_id, kind="mobile_phone")
        return [row.read().reveal() for row in rows]


def test_a_file_is_checked_shown_confirmed_and_shown_again(own: House) -> None:
    client = signed_in(own.admin)
    run = sent_run(client, own, csv_of(f"eve@contoso.example,{MOBILE}"))

    before = page_of(client, run)

    assert "What would be done" in before
    assert "eve@contoso.example" in before
    assert "•••••••71" in before
    assert MOBILE not in before
    assert mobiles(own, "eve@contoso.example") == []
    done = client.post(f"{LIST}{run.pk}/confirm/", {"mode": "all"}, follow=True)
    assert "The file was imported." in done.content.decode()
    assert "What was done" in done.content.decode()
    assert mobiles(own, "eve@contoso.example") == [MOBILE]
    assert "Import: 1 people" in before
    assert "Import: 1 people" not in page_of(client, run)
    again = client.post(f"{LIST}{run.pk}/confirm/", {"mode": "all"}, follow=True)
    assert "was imported, discarded or removed before" in again.content.decode()
    assert "people.csv" in client.get(LIST).content.decode()


def test_problems_are_told_by_row_and_column_and_can_be_taken_home_and_brought_back(
    own: House,
) -> None:
    client = signed_in(own.admin)
    content = csv_of(f"eve@contoso.example,{MOBILE}", f"nobody@contoso.example,{MOBILE}")
    run = sent_run(client, own, content)

    text = page_of(client, run)
    report = client.get(f"{LIST}{run.pk}/problems.csv")

    assert "<td> 3 </td> <td> nobody@contoso.example </td> <td> User id </td>" in text
    assert "There is no person with this user ID." in text
    assert "Import the right rows: 1 people" in text
    assert report.headers["Content-Disposition"] == 'attachment; filename="problems.csv"'
    [back] = open_file(report.content).rows()
    assert dict(back.values) == {"user_id": "nobody@contoso.example", "mobile_phone": MOBILE}
    refused = client.post(f"{LIST}{run.pk}/confirm/", {"mode": "all"}, follow=True)
    assert "there are rows with problems" in refused.content.decode()
    assert mobiles(own, "eve@contoso.example") == []
    client.post(f"{LIST}{run.pk}/confirm/", {"mode": "rows"})
    assert mobiles(own, "eve@contoso.example") == [MOBILE]


def test_a_confirmed_contact_is_shown_as_kept_and_replaced_only_on_purpose(own: House) -> None:
    client = signed_in(own.admin)
    content = csv_of(f"{own.person},{MOBILE}")

    kept = page_of(client, sent_run(client, own, content))
    replaced = page_of(client, sent_run(client, own, content, replace_confirmed="on"))

    assert "kept, because it is confirmed" in kept
    assert "1 confirmed contacts are kept" in kept
    assert "There is nothing to import." in kept
    assert "replaced though confirmed" in replaced


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"user_id,password\na@contoso.example,x\n", "“password”"),
        (b"PK\x03\x04rubbish", "a zip or Excel file"),
        (b"", "The file is empty."),
        (b"sAMAccountName,mobile\nalice,1\n", "ADSelfService Plus, which this version does not"),
    ],
)
def test_a_refused_file_is_told_on_the_page_it_came_from(
    content: bytes, told: str, own: House
) -> None:
    answer = send(signed_in(own.admin), content)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'role="alert"' in text
    assert told in text
    with tenant_context(own.tenant):
        assert not ImportRun.objects.exists()


def test_what_a_file_says_is_shown_as_text(own: House) -> None:
    client = signed_in(own.admin)
    hostile = '"<svg onload=alert(1)>"'
    content = csv_of(f"eve@contoso.example,{hostile}", heading="user_id,display_name")

    run = sent_run(client, own, content, mode="rows")

    assert "<svg onload" not in page_of(client, run)
    assert "&lt;svg onload=alert(1)&gt;" in page_of(client, run)


def test_discarding_removes_the_file_and_changes_nothing(own: House) -> None:
    client = signed_in(own.admin)
    run = sent_run(client, own, csv_of(f"eve@contoso.example,{MOBILE}"))

    text = client.post(f"{LIST}{run.pk}/discard/", follow=True).content.decode()

    assert "Nothing was imported." in text
    assert mobiles(own, "eve@contoso.example") == []
    assert client.get(f"{LIST}{run.pk}/problems.csv").status_code == 404


@pytest.mark.parametrize("page", ["change/", "confirm/", "discard/", "problems.csv"])
def test_another_tenants_run_is_as_unknown_as_a_random_one(page: str, own: House) -> None:
    other = canary()
    theirs = signed_in(other.admin)
    person = csv_of(f"{other.person},{MOBILE}")
    run = sent_run(theirs, other, person, replace_confirmed="on")
    client = signed_in(own.admin)
    mine = sent_run(client, own, csv_of(f"eve@contoso.example,{MOBILE}"))
    ask = client.post if page in {"confirm/", "discard/"} else client.get

    answers = [
        ask(f"{LIST}{pk}/{page}", {"mode": "all"})
        for pk in (run.pk, "00000000-0000-4000-8000-000000000000", mine.pk)
    ]

    assert [answer.status_code for answer in answers[:2]] == [404, 404]
    assert answers[2].status_code in {200, 302}
    assert CANARY not in answers[0].content.decode()
    with tenant_context(other.tenant):
        run.refresh_from_db()
        assert run.state == "checked"


@pytest.mark.parametrize("role", ["helpdesk_administrator", "license_administrator"])
def test_who_may_not_change_people_imports_nothing_and_leaves_a_line(role: str, own: House) -> None:
    admin = signed_in(own.admin)
    run = sent_run(admin, own, csv_of(f"eve@contoso.example,{MOBILE}"))
    with tenant_context(own.tenant):
        lesser = make_person("hal@contoso.example", "Hal", roles=[role])
    client = signed_in(lesser.user_id)

    assert send(client, csv_of(f"eve@contoso.example,{MOBILE}")).status_code == 403
    for page in ("import/", "import/sample.csv", f"{run.pk}/problems.csv"):
        assert client.get(f"{LIST}{page}").status_code == 403
    for page in ("confirm/", "discard/"):
        assert client.post(f"{LIST}{run.pk}/{page}", {"mode": "all"}).status_code == 403
    assert "eve@contoso.example" not in page_of(client, run)
    assert "Import a file" not in client.get(LIST).content.decode()
    with tenant_context(own.tenant):
        assert AuditEvent.objects.filter(type="admin.denied").count() == 6


def test_a_user_administrator_changes_no_administrator(own: House) -> None:
    with tenant_context(own.tenant):
        lesser = make_person("ula@contoso.example", "Ula", roles=["user_administrator"])
    client = signed_in(lesser.user_id)

    run = sent_run(client, own, csv_of(f"{own.admin},{MOBILE}", f"eve@contoso.example,{MOBILE}"))

    assert (run.counts["problem"], run.counts["new"]) == (1, 1)


def test_nothing_is_applied_by_looking(own: House) -> None:
    client = signed_in(own.admin)
    run = sent_run(client, own, csv_of(f"eve@contoso.example,{MOBILE}"))

    for page in ("confirm/", "discard/"):
        assert client.get(f"{LIST}{run.pk}/{page}").status_code == 405
    assert client.post(f"{LIST}{run.pk}/confirm/", {"mode": "some"}).status_code == 404
    stray = client.post(f"{LIST}process_import/", {"import_file_name": "x"}, follow=True)
    assert stray.status_code == 404
    assert mobiles(own, "eve@contoso.example") == []


def test_the_sample_is_a_file_that_is_read(own: House) -> None:
    answer = signed_in(own.admin).get(f"{LIST}import/sample.csv")

    [row] = open_file(answer.content).rows()
    assert row.values["office_phone"] == "+1 4255550100x123"
    assert b"'+1 4255550101" in answer.content


def test_a_big_file_passes_for_administrators_and_is_not_read_from_anybody_else(
    own: House,
) -> None:
    content = csv_of(f"eve@contoso.example,{MOBILE}") + b"\n" * 200_000

    nobody = send(Client(headers={"host": "localhost"}), content)
    assert nobody.status_code == 302
    assert nobody.headers["Location"].startswith("/admin/login/")
    client = signed_in(own.admin)
    assert sent_run(client, own, content).counts["rows"] == 1
    assert send(client, b"x" * (MAX_BYTES + 70_000)).status_code == 413
    elsewhere = client.post("/admin/accounts/user/", {"file": SimpleUploadedFile("x", content)})
    assert elsewhere.status_code == 413


def test_files_that_are_sent_touch_no_disk() -> None:
    assert settings.FILE_UPLOAD_HANDLERS == [
        "django.core.files.uploadhandler.MemoryFileUploadHandler"
    ]
    assert settings.FILE_UPLOAD_MAX_MEMORY_SIZE > MAX_BYTES + 64 * 1024


def test_the_library_brings_no_command_of_its_own() -> None:
    assert get_commands().get("import") is None
    assert get_commands()["export"] == "tenants"


def test_no_page_asks_for_a_script_or_a_style_of_its_own(own: House) -> None:
    client = signed_in(own.admin)
    run = sent_run(client, own, csv_of(f"eve@contoso.example,{MOBILE}"))

    for page in (client.get(UPLOAD).content.decode(), page_of(client, run)):
        assert re.findall(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", page) == []
        assert "jquery" not in page
        assert "import_export" not in page


def test_the_list_does_not_read_what_is_sealed(own: House) -> None:
    client = signed_in(own.admin)
    sent_run(client, own, csv_of(f"eve@contoso.example,{MOBILE}"))
    with tenant_context(own.tenant):
        ImportRun.objects.update(sealed_file=b"broken", sealed_report=b"broken")
        assert User.objects.exists()

    assert client.get(LIST).status_code == 200
