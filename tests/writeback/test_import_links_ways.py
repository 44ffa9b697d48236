"""Directory accounts from a CSV file by the command and by the administration's page."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError

from accounts.management.commands.import_enrolment import OVERTAKEN
from accounts.models import ImportRun
from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.admin.desk import colleague
from tests.writeback.linking import EVE, EVE_ANCHOR, file, links
from writeback import import_links
from writeback.models import Connector, DirectoryLink

pytestmark = pytest.mark.django_db


def test_the_command_imports_accounts_and_says_when_it_was_overtaken(
    acme: Acme, connector: Connector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(file(f"{EVE},Head office,{EVE_ANCHOR},federated"))

    def overtaken(rows: list[DirectoryLink]) -> None:
        raise IntegrityError

    with monkeypatch.context() as patch:
        patch.setattr(import_links, "insert_links", overtaken)
        out = StringIO()
        with pytest.raises(SystemExit) as end:
            call_command("import_enrolment", "acme", str(path), stdout=out)
    assert (end.value.code, out.getvalue().splitlines()[-1]) == (1, OVERTAKEN)
    call_command("import_enrolment", "acme", str(path), stdout=StringIO())

    with acme.inside():
        assert links() == {EVE: ("Head office", EVE_ANCHOR)}


@pytest.mark.parametrize(
    ("roles", "problems"),
    [
        (["user_administrator"], 1),
        (["user_administrator", "hybrid_identity_administrator"], 0),
        (["global_administrator"], 0),
    ],
)
def test_the_page_takes_accounts_from_whoever_may_say_whose_they_are(
    acme: Acme, connector: Connector, clock: Clock, roles: list[str], problems: int
) -> None:
    desk = colleague(acme, clock, *roles)
    content = file(f"{EVE},Head office,{EVE_ANCHOR},federated")
    sent = {"import_file": SimpleUploadedFile("x.csv", content), "format": "auto", "mode": "all"}

    with clock.running():
        answer = desk.client.post("/admin/accounts/importrun/import/", sent, follow=True)

    with acme.inside():
        run = ImportRun.objects.get()
        assert (run.counts["problem"], run.counts["change"]) == (problems, 1 - problems)
    text = answer.content.decode()
    assert ("Your roles don&#x27;t let you fill this column." in text) is bool(problems)
    assert (EVE_ANCHOR in text) is not bool(problems)
