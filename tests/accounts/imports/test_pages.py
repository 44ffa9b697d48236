"""The import pages in a browser: the whole way without JavaScript, axe, a narrow screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tenants.context import tenant_context
from tests.accounts.imports.files import MOBILE, csv_of
from tests.services.browser import PageFactory
from tests.services.looker import Looker
from tests.tenants.admin.cast import House, contoso, make_person
from tests.tenants.admin.test_pages import enter


@pytest.fixture
def own(transactional_db: None) -> House:
    house = contoso()
    with tenant_context(house.tenant):
        make_person("eve@contoso.example", "Eve")
    return house


@pytest.fixture
def file(tmp_path: Path, own: House) -> Path:
    path = tmp_path / "people.csv"
    rows = (f"eve@contoso.example,{MOBILE}", f"{own.person},{MOBILE}", "nobody@contoso.example,12")
    path.write_bytes(csv_of(*rows))
    return path


def upload(page: Page, url: str, file: Path) -> None:
    page.goto(f"{url}/admin/accounts/importrun/")
    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_label("All rows that are right").check()
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("heading", name="What would be done").wait_for()


def test_a_file_is_imported_without_javascript(
    live_url: str, own: House, file: Path, page_factory: PageFactory
) -> None:
    page = page_factory("nojs")
    enter(page, live_url, own)
    upload(page, live_url, file)

    assert page.get_by_role("table", name="Rows that can't be imported").is_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Problems as a file").click()
    assert "nobody@contoso.example,12," in downloading.value.path().read_text("utf-8-sig")
    page.get_by_role("button", name="Import the right rows: 1 people").click()

    assert page.get_by_text("The file was imported.").is_visible()
    assert page.get_by_role("heading", name="What was done").is_visible()


def test_the_pages_are_accessible_and_fit(
    live_url: str, own: House, file: Path, looker: Looker
) -> None:
    page = looker.page
    enter(page, live_url, own)

    page.goto(f"{live_url}/admin/accounts/importrun/import/")
    looker.look("upload")
    page.get_by_label("CSV file").set_input_files(
        {"name": "x.csv", "mimeType": "text/csv", "buffer": b"user_id,password\na,b\n"}
    )
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("alert").wait_for()
    looker.look("refused")
    upload(page, live_url, file)
    looker.look("checked")
    looker.visit(f"{live_url}/admin/accounts/importrun/", "list")

    assert looker.found == []
    assert looker.seen == ["upload", "refused", "checked", "list"]
