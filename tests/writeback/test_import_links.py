"""A CSV file says whose directory account is where: judged, shown, written once, never moved."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from accounts.imports.runs import check, confirm, import_file
from accounts.models import User
from tenants.models import AuditEvent
from tests.accounts.imports.files import ALL, MOBILE, NOW, ROWS, contacts_of, csv_of, importer
from tests.cast import Acme, Beta
from tests.writeback.conftest import BOB_ANCHOR
from tests.writeback.field import link, make_connector
from tests.writeback.linking import (
    ALICE,
    BOB,
    EVE,
    EVE_ANCHOR,
    applied,
    file,
    links,
    looked_at,
    problems,
    source_of,
)
from writeback import import_links
from writeback.import_links import COLUMNS, SOURCES
from writeback.models import Connector, DirectoryLink
from writeback.services.links import insert_links

pytestmark = pytest.mark.django_db


@pytest.fixture
def inside(acme: Acme, connector: Connector) -> Iterator[Acme]:
    with acme.inside():
        yield acme


class TestWriting:
    def test_an_account_is_added_and_the_password_kept_there(self, inside: Acme) -> None:
        content = file(f"{EVE},Head office, {EVE_ANCHOR.upper()} ,pass_through")
        run = check(content, "people.csv", ALL, importer(inside), NOW)
        assert links() == {}

        done = confirm(run.pk, "all", importer(inside), NOW)

        assert (done.kind, done.run.counts["change"]) == ("applied", 1)
        assert links() == {EVE: ("Head office", EVE_ANCHOR)}
        assert source_of(inside.eve) == "pass_through"

    def test_the_trail_has_what_adding_by_hand_leaves_and_the_import(self, inside: Acme) -> None:
        content = file(f"{EVE},Head office,{EVE_ANCHOR},federated")

        run = applied(inside, content).run

        events = AuditEvent.objects.filter(correlation_id=run.pk)
        found = {row.type: row for row in events}
        assert set(found) == {
            "link.changed", "user.changed", "contacts.imported", "import.applied"
        }  # fmt: skip
        assert found["link.changed"].data == {"connector": "Head office", "change": "added"}
        assert found["user.changed"].data == {"fields": ["source"]}
        assert found["contacts.imported"].data == {
            "added": ["directory", "directory_id"],
            "replaced": ["source"],
            "kept": [],
        }
        people = {found[name].target_label for name in found if name != "import.applied"}
        assert people == {EVE}
        assert {row.actor_label for row in events} == {"carol@acme.example"}
        assert EVE_ANCHOR not in "".join(str(row.data) for row in events)

    def test_the_same_file_again_changes_nothing(self, inside: Acme) -> None:
        content = file(f"{EVE},Head office,{EVE_ANCHOR},pass_through")
        applied(inside, content)

        again = applied(inside, content)

        assert (again.kind, again.run.counts["same"]) == ("applied", 1)
        assert AuditEvent.objects.filter(type="link.changed").count() == 1

    def test_accounts_and_contacts_come_in_one_row(self, inside: Acme) -> None:
        content = file(
            f"{EVE},{MOBILE},Head office,{EVE_ANCHOR},pass_through",
            f"{BOB},{MOBILE},,,",
            heading="user_id,mobile_phone,directory,directory_id,source",
        )

        assert applied(inside, content, replace(ALL, replace_confirmed=True)).kind == "applied"

        assert links() == {EVE: ("Head office", EVE_ANCHOR)}
        assert contacts_of(inside.eve)["mobile_phone"][0] == MOBILE
        assert contacts_of(inside.bob)["mobile_phone"][0] == MOBILE

    def test_a_person_gets_a_second_directory_and_keeps_the_place_of_the_password(
        self, inside: Acme, connector: Connector
    ) -> None:
        make_connector(inside, "Branch")
        link(inside, inside.bob, connector, BOB_ANCHOR)

        assert applied(inside, file(f"{BOB},Branch,{EVE_ANCHOR},")).kind == "applied"

        assert DirectoryLink.objects.filter(user=inside.bob).count() == 2
        assert source_of(inside.bob) == "password_hash_sync"

    def test_the_place_of_the_password_alone_is_changed_where_an_account_is_known(
        self, inside: Acme, connector: Connector
    ) -> None:
        link(inside, inside.bob, connector, BOB_ANCHOR)
        content = file(f"{BOB},pass_through", heading="user_id,source")

        assert applied(inside, content).kind == "applied"

        assert source_of(inside.bob) == "pass_through"
        assert AuditEvent.objects.filter(type="link.changed").count() == 0
        assert AuditEvent.objects.filter(type="user.changed").count() == 1

    def test_ids_of_other_kinds_stay_as_they_are_written(self, inside: Acme) -> None:
        Connector.objects.update(kind=Connector.Kind.SCIM)

        applied(inside, file(f"{EVE},Head office,Abc-1,federated"))

        assert links() == {EVE: ("Head office", "Abc-1")}

    def test_the_preview_shows_what_is_on_file_and_what_is_not(self, inside: Acme) -> None:
        looked = looked_at(inside, file(f"{EVE},Head office,{EVE_ANCHOR},pass_through"))

        [row] = looked.summary.samples["change"]
        shown = [(each["column"], each["before"], each["after"]) for each in row["changes"]]
        assert shown == [
            ("directory", "", "Head office"),
            ("directory_id", "", EVE_ANCHOR),
            ("source", "cloud", "pass_through"),
        ]


class TestProblems:
    @pytest.mark.parametrize(
        ("cells", "code_column", "words"),
        [
            (f"Elsewhere,{EVE_ANCHOR},federated", "directory", "There are: Head office."),
            ("Head office,eve,federated", "directory_id", "looks like 6f0f1c5e-"),
            (f"Head office,{'x' * 201},federated", "directory_id", "Shorten it."),
            ("Head office,,federated", "directory_id", "Fill directory and directory_id"),
            (f",{EVE_ANCHOR},federated", "directory", "Fill directory and directory_id"),
            (f"Head office,{EVE_ANCHOR},cloud", "source", "There are: password_hash_sync"),
            (f"Head office,{EVE_ANCHOR},", "source", "Write in the column source"),
            (",,pass_through", "directory", "Fill directory and directory_id, too."),
        ],
    )
    def test_a_row_that_says_no_account_is_told_at_its_column_with_a_way_out(
        self, inside: Acme, cells: str, code_column: str, words: str
    ) -> None:
        [problem] = problems(inside, file(f"{EVE},{cells}"))

        assert problem["column"] == code_column
        assert words in problem["suggestion"]
        assert applied(inside, file(f"{EVE},{cells}"), ROWS).run.counts["problem"] == 1
        assert links() == {}
        assert source_of(inside.eve) == "cloud"

    def test_without_any_directory_that_is_told(self, acme: Acme) -> None:
        with acme.inside():
            [problem] = problems(acme, file(f"{EVE},Head office,{EVE_ANCHOR},federated"))

        assert problem["suggestion"].endswith("there is none yet.")

    def test_another_account_of_the_person_stays_whatever_is_declared(
        self, inside: Acme, connector: Connector
    ) -> None:
        link(inside, inside.bob, connector, BOB_ANCHOR)
        content = file(f"{BOB},Head office,{EVE_ANCHOR},")

        done = applied(inside, content, replace(ROWS, replace_confirmed=True))

        assert done.run.counts["problem"] == 1
        assert links() == {BOB: ("Head office", BOB_ANCHOR)}
        [problem] = problems(inside, content)
        assert "an import does not change it" in problem["message"]

    def test_somebody_elses_account_is_theirs(self, inside: Acme, connector: Connector) -> None:
        link(inside, inside.bob, connector, BOB_ANCHOR)

        [problem] = problems(inside, file(f"{EVE},Head office,{BOB_ANCHOR},federated"))

        assert problem["message"] == "This account belongs to somebody else."

    def test_an_account_in_two_rows_names_the_other_in_each(self, inside: Acme) -> None:
        rows = [f"{who},Head office,{EVE_ANCHOR},federated" for who in (EVE, BOB.upper(), ALICE)]
        rows[1] = rows[1].replace(EVE_ANCHOR, EVE_ANCHOR.upper())

        found = problems(inside, file(*rows))

        assert [problem["message"] for problem in found] == [
            "This account stands in row 3, 4, too.",
            "This account stands in row 2, 4, too.",
            "This account stands in row 2, 3, too.",
        ]

    def test_of_many_rows_the_first_few_are_named(self, inside: Acme) -> None:
        rows = [f"p{n}@acme.example,Head office,{EVE_ANCHOR},federated" for n in range(8)]

        found = problems(inside, file(*rows))

        assert "row 3, 4, 5, 6, 7 and more, too" in found[0]["message"]

    def test_one_id_in_two_directories_is_two_accounts(self, inside: Acme) -> None:
        make_connector(inside, "Branch")
        rows = (
            f"{EVE},Head office,{EVE_ANCHOR},federated",
            f"{BOB},Branch,{EVE_ANCHOR},federated",
        )

        assert applied(inside, file(*rows)).kind == "applied"

        assert links() == {EVE: ("Head office", EVE_ANCHOR), BOB: ("Branch", EVE_ANCHOR)}

    def test_the_account_for_drills_is_nobodys(self, inside: Acme) -> None:
        Connector.objects.update(canary=EVE_ANCHOR.upper())

        [problem] = problems(inside, file(f"{EVE},Head office,{EVE_ANCHOR},federated"))

        assert problem["message"] == "This account is kept for drills."

    @pytest.mark.parametrize("cells", [f"Head office,{EVE_ANCHOR},federated", ",,federated"])
    def test_a_guest_has_none(self, inside: Acme, cells: str) -> None:
        [problem] = problems(inside, file(f"{inside.iris.user_id},{cells}"))

        assert problem["message"].startswith("A guest's password")

    def test_whoever_may_not_say_whose_an_account_is_fills_no_such_column(
        self, inside: Acme, connector: Connector
    ) -> None:
        link(inside, inside.bob, connector, BOB_ANCHOR)
        denied = frozenset(column.key for column in COLUMNS)
        content = file(f"{EVE},Head office,{BOB_ANCHOR},federated")

        found = problems(inside, content, denied=denied)

        assert [problem["column"] for problem in found] == ["directory", "directory_id", "source"]
        assert {problem["message"] for problem in found} == {
            "Your roles don't let you fill this column."
        }
        run = check(
            file(f"{EVE},Head office,{EVE_ANCHOR},federated"), "x.csv", ALL, importer(inside), NOW
        )
        assert confirm(run.pk, "rows", importer(inside, denied=denied), NOW).kind == "changed"
        assert links().keys() == {BOB}

    def test_an_empty_cell_of_a_denied_column_is_nobodys_problem(self, inside: Acme) -> None:
        denied = frozenset(column.key for column in COLUMNS)
        assert problems(inside, file(f"{EVE},,,"), denied=denied) == []


class TestTenants:
    def test_another_tenants_directory_is_as_unknown_as_none(self, acme: Acme, beta: Beta) -> None:
        theirs = make_connector(beta, "Their office")
        link(beta, beta.alice, theirs, EVE_ANCHOR)
        make_connector(acme)
        rows = [f"{EVE},{name},{BOB_ANCHOR},federated" for name in ("Their office", "No office")]

        with acme.inside():
            told = [problems(acme, file(row))[0] for row in rows]
            assert applied(acme, file(rows[0]), ROWS).run.counts["problem"] == 1
            assert links() == {}

        keys = ("column", "message", "suggestion")
        assert len({tuple(one[key] for key in keys) for one in told}) == 1
        assert told[0]["suggestion"] == "There are: Head office."
        with beta.inside():
            assert links() == {beta.alice.user_id: ("Their office", EVE_ANCHOR)}

    def test_a_directory_of_the_same_name_is_the_own_one(self, acme: Acme, beta: Beta) -> None:
        own, theirs = make_connector(acme), make_connector(beta)
        link(beta, beta.alice, theirs, EVE_ANCHOR)

        with acme.inside():
            done = applied(acme, file(f"{EVE},Head office,{EVE_ANCHOR},federated"))
            assert done.kind == "applied"
            assert DirectoryLink.objects.get(user=acme.eve).connector_id == own.pk

        with beta.inside():
            assert DirectoryLink.objects.get().user_id == beta.alice.pk


def test_who_links_the_same_account_meanwhile_keeps_it_and_nothing_is_imported(
    inside: Acme, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = file(f"{EVE},Head office,{EVE_ANCHOR},federated", f"{ALICE},,,")

    def late(rows: list[DirectoryLink]) -> None:
        # As if it had been committed between reading and writing.
        DirectoryLink.objects.create(user=inside.bob, connector=connector, anchor=EVE_ANCHOR)
        insert_links(rows)

    run = check(content, "people.csv", ALL, importer(inside), NOW)
    monkeypatch.setattr(import_links, "insert_links", late)
    done = confirm(run.pk, "all", importer(inside), NOW)

    assert (done.kind, done.run.state) == ("changed", "checked")
    assert links() == {}
    assert source_of(inside.eve) == "cloud"
    assert not AuditEvent.objects.filter(type="link.changed").exists()
    written = import_file(content, "people.csv", ALL, importer(inside), NOW)
    assert (written.why, written.summary.rows) == ("changed", 2)
    monkeypatch.undo()
    assert confirm(run.pk, "all", importer(inside), NOW).kind == "applied"


def test_statements_do_not_grow_with_the_rows(inside: Acme) -> None:
    people = [User(user_id=f"p{n}@acme.example", password="!") for n in range(300)]
    User.objects.bulk_create(people)

    def rows(first: int, many: int) -> bytes:
        return file(
            *(
                f"p{n}@acme.example,Head office,{EVE_ANCHOR[:-3]}{n:03},{SOURCES[n % 2]}"
                for n in range(first, first + many)
            )
        )

    applied(inside, file(f"{EVE},Head office,{EVE_ANCHOR},pass_through"))
    found = {}
    for first, many in ((0, 2), (2, 280)):
        with CaptureQueriesContext(database) as seen:
            looked_at(inside, rows(first, many))
        found["look", many] = len(seen)
        run = check(rows(first, many), "x.csv", ALL, importer(inside), NOW)
        with CaptureQueriesContext(database) as seen:
            assert confirm(run.pk, "all", importer(inside), NOW).kind == "applied"
        found["confirm", many] = len(seen)

    assert DirectoryLink.objects.count() == 283
    assert found["look", 280] == found["look", 2] <= 6
    assert found["confirm", 280] == found["confirm", 2] <= 25


def test_a_file_without_these_columns_asks_nothing_about_directories(inside: Acme) -> None:
    with CaptureQueriesContext(database) as seen:
        looked_at(inside, csv_of(f"{EVE},{MOBILE}"))

    assert not [each for each in seen.captured_queries if "writeback_" in each["sql"]]
