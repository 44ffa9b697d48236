"""Imports on the database: what is written, recorded and told; once, and for one's own people."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.imports import runs
from accounts.imports.formats import FileRefused, open_file
from accounts.imports.runs import Confirmed, Declared, check, confirm, discard, expire, look
from accounts.models import ContactPoint, ImportRun, User, contact_lookup
from notifications.models import Message
from notifications.queue import outgoing
from notifications.services import get_recipient
from tenants.keys import SealBroken
from tenants.models import AuditEvent, Domain, Tenant
from tests.accounts.imports.files import (
    ALL,
    MOBILE,
    NOW,
    OTHER,
    ROWS,
    contacts_of,
    csv_of,
    importer,
)
from tests.cast import (
    ALICE_EMAIL,
    ALICE_MOBILE,
    Acme,
    Beta,
    give_contact,
    give_primary_email,
)

pytestmark = pytest.mark.django_db
EVE, BOB, ALICE = "eve@acme.example", "bob@acme.example", "alice@acme.example"


def checked(acme: Acme, content: bytes, declared: Declared = ALL) -> ImportRun:
    return check(content, "people.csv", declared, importer(acme), NOW)


def applied(acme: Acme, content: bytes, declared: Declared = ALL) -> Confirmed:
    run = checked(acme, content, declared)
    return confirm(run.pk, declared.mode, importer(acme), NOW)


@pytest.fixture
def inside(acme: Acme) -> Iterator[Acme]:
    with acme.inside():
        yield acme


def test_checking_changes_nothing_and_confirming_does(inside: Acme) -> None:
    run = checked(inside, csv_of(f"{EVE},{MOBILE}"))

    assert contacts_of(inside.eve) == {}
    assert (run.state, run.counts["new"]) == ("checked", 1)
    assert Message.objects.count() == 0
    assert confirm(run.pk, "all", importer(inside), NOW).kind == "applied"
    assert contacts_of(inside.eve) == {"mobile_phone": (MOBILE, False, 1)}
    row = ContactPoint.objects.get(user=inside.eve)
    assert bytes(row.lookup) == contact_lookup(MOBILE.replace(" ", ""))


def test_everything_a_file_can_hold_is_written(inside: Acme) -> None:
    heading = "user_id,display_name,language,email,alternate_email,mobile_phone,office_phone"
    line = f"{EVE},Eve Ewing,de,eve@acme.example,eve@example.net,{MOBILE},{OTHER}x12"

    confirmed = applied(inside, csv_of(line, heading=heading))

    assert confirmed.kind == "applied"
    inside.eve.refresh_from_db()
    assert (inside.eve.display_name, inside.eve.language) == ("Eve Ewing", "de")
    assert {kind: value for kind, (value, _, _) in contacts_of(inside.eve).items()} == {
        "primary_email": "eve@acme.example",
        "alternate_email": "eve@example.net",
        "mobile_phone": MOBILE,
        "office_phone": f"{OTHER}x12",
    }


def test_the_same_file_again_changes_nothing(inside: Acme) -> None:
    content = csv_of(f"{EVE},{MOBILE}", f"{BOB},{OTHER}")
    assert applied(inside, content).kind == "applied"
    before = counted()

    again = applied(inside, content)

    assert again.run.counts["same"] == again.run.counts["rows"] == 2
    after = counted()
    assert (after["contacts"], after["messages"]) == (before["contacts"], before["messages"])
    assert set(ContactPoint.objects.values_list("version", flat=True)) == {1}
    assert runs.find_earlier(again.run) is not None


def counted() -> dict[str, int]:
    return {
        "contacts": ContactPoint.objects.count(),
        "messages": Message.objects.count(),
        "events": AuditEvent.objects.filter(type="contacts.imported").count(),
        "runs": ImportRun.objects.count(),
    }


def test_a_confirmed_contact_is_kept_and_reported(inside: Acme) -> None:
    confirmed = applied(inside, csv_of(f"{ALICE},{MOBILE}", f"{EVE},{MOBILE}"))

    assert contacts_of(inside.alice)["mobile_phone"] == (ALICE_MOBILE, True, 1)
    assert (confirmed.run.counts["kept"], confirmed.run.counts["contacts_kept"]) == (1, 1)
    report = confirmed.run.find("report")
    assert report is not None
    assert f"{ALICE},'{MOBILE},".encode() in report.reveal()


def test_on_purpose_it_is_replaced_and_the_person_told_at_the_addresses_before(
    inside: Acme,
) -> None:
    give_primary_email(inside.alice, "alice@acme.example")
    declared = replace(ALL, replace_confirmed=True)
    content = csv_of(
        f"{ALICE},{MOBILE},alice.new@example.net", heading="user_id,mobile_phone,alternate_email"
    )

    assert applied(inside, content, declared).kind == "applied"

    found = contacts_of(inside.alice)
    assert found["mobile_phone"] == (MOBILE, False, 2)
    assert found["alternate_email"] == ("alice.new@example.net", False, 2)
    told = {get_recipient(message).reveal(): message for message in Message.objects.all()}
    assert set(told) == {ALICE_EMAIL, "alice@acme.example"}
    text = outgoing(told[ALICE_EMAIL], Tenant.objects.get()).text
    assert "The mobile number" in text
    assert "The office number" not in text
    assert MOBILE not in text


def test_a_person_without_an_address_is_told_at_the_user_id(inside: Acme) -> None:
    applied(inside, csv_of(f"{EVE},{MOBILE}"))

    [message] = Message.objects.all()
    assert get_recipient(message).reveal() == EVE
    assert (message.kind, message.language) == ("contact_changed", "en")


def test_a_name_alone_tells_nobody(inside: Acme) -> None:
    assert applied(inside, csv_of(f"{EVE},Eve", heading="user_id,display_name")).kind == "applied"

    assert Message.objects.count() == 0


def test_the_trail_has_the_import_and_each_person_with_names_of_columns_only(inside: Acme) -> None:
    run = applied(inside, csv_of(f"{EVE},{MOBILE}", f"{ALICE},{MOBILE}")).run

    events = AuditEvent.objects.filter(correlation_id=run.pk).order_by("created_at", "type")
    person, whole = sorted(events, key=lambda event: event.type)
    assert (person.type, person.target_label) == ("contacts.imported", EVE)
    assert person.data == {"added": ["mobile_phone"], "replaced": [], "kept": []}
    assert (whole.type, whole.actor_label) == ("import.applied", "carol@acme.example")
    assert (whole.data["rows"], whole.data["kept"], whole.data["mode"]) == (2, 1, "all")


def test_one_wrong_row_keeps_everything_out_unless_rows_were_declared(inside: Acme) -> None:
    content = csv_of(f"{EVE},{MOBILE}", "nobody@acme.example,+1 4255550173", f"{BOB},12")

    whole = applied(inside, content, ALL)

    assert (whole.kind, whole.run.state) == ("problems", "checked")
    assert contacts_of(inside.eve) == {}
    assert counted()["events"] == counted()["messages"] == 0
    right = confirm(whole.run.pk, "rows", importer(inside), NOW)
    assert (right.kind, right.run.counts["problem"]) == ("applied", 2)
    assert contacts_of(inside.eve) == {"mobile_phone": (MOBILE, False, 1)}
    assert "mobile_phone" not in contacts_of(inside.bob)


def test_what_changed_since_the_check_is_told_and_nothing_is_applied(inside: Acme) -> None:
    run = checked(inside, csv_of(f"{EVE},{MOBILE}", f"{BOB},{OTHER}"))
    give_contact(inside.eve, "mobile_phone", OTHER)

    first = confirm(run.pk, "all", importer(inside), NOW)

    assert (first.kind, set(first.differs)) == (
        "changed",
        {"new: 1 instead of 2", "kept: 1 instead of 0", "contacts_kept: 1 instead of 0"},
    )
    assert "mobile_phone" not in contacts_of(inside.bob)
    assert confirm(run.pk, "all", importer(inside), NOW).kind == "applied"
    assert contacts_of(inside.eve)["mobile_phone"] == (OTHER, True, 1)


def test_a_run_is_applied_once_and_not_after_its_hour(inside: Acme) -> None:
    run = checked(inside, csv_of(f"{EVE},{MOBILE}"))
    late = checked(inside, csv_of(f"{BOB},{MOBILE}"))

    kinds = [confirm(run.pk, "all", importer(inside), NOW).kind for _ in "12"]

    assert kinds == ["applied", "not_now"]
    over = confirm(late.pk, "all", importer(inside), NOW + timedelta(hours=1))
    assert over.kind == "not_now"
    assert "mobile_phone" not in contacts_of(inside.bob)


def test_administrators_are_changed_by_those_who_may_and_rights_are_judged_when_confirmed(
    inside: Acme,
) -> None:
    run = checked(inside, csv_of(f"carol@acme.example,{MOBILE}"))
    lesser = importer(inside, administrators=False)

    denied = confirm(run.pk, "rows", lesser, NOW)

    assert (denied.kind, denied.run.counts["problem"]) == ("changed", 1)
    assert "mobile_phone" not in contacts_of(inside.carol)
    assert confirm(run.pk, "rows", importer(inside), NOW).kind == "changed"
    assert confirm(run.pk, "rows", importer(inside), NOW).kind == "applied"


def test_a_guest_keeps_the_registered_mailbox(inside: Acme) -> None:
    heading = "user_id,alternate_email,mobile_phone"
    lines = (
        f"{inside.iris.user_id},other@example.org,{MOBILE}",
        f"{inside.petra.user_id},petra@mail.example,{MOBILE}",
    )

    done = applied(inside, csv_of(*lines, heading=heading), replace(ROWS, replace_confirmed=True))

    assert done.run.counts["problem"] == 1
    assert "mobile_phone" not in contacts_of(inside.iris)
    assert contacts_of(inside.petra)["mobile_phone"] == (MOBILE, False, 1)


def test_people_of_another_tenant_are_nobody_here(acme: Acme, beta: Beta) -> None:
    content = csv_of(f"alice@beta.example,{MOBILE}", f"{EVE},{MOBILE}")

    with acme.inside():
        Domain.objects.create(name="acme.test")
        done = applied(acme, content, ROWS)

    assert (done.kind, done.run.counts["problem"]) == ("applied", 1)
    with beta.inside():
        assert contacts_of(beta.alice)["mobile_phone"][0] == ALICE_MOBILE


def test_another_tenants_run_is_as_unknown_as_a_random_one(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        run = checked(acme, csv_of(f"{EVE},{MOBILE}"))

    with beta.inside():
        for unknown in (run.pk, uuid.uuid4()):
            for act in (confirm_it, discard):
                with pytest.raises(ImportRun.DoesNotExist):
                    act(unknown, importer(acme), NOW)


def confirm_it(run: uuid.UUID, *args: Any) -> Confirmed:
    return confirm(run, "all", *args)


def test_the_file_is_sealed_to_its_row_and_gone_when_it_is_not_needed(inside: Acme) -> None:
    content = csv_of(f"{EVE},{MOBILE}")
    run, other = checked(inside, content), checked(inside, content)
    run.refresh_from_db()

    for part in ("file", "summary", "report"):
        sealed = bytes(getattr(run, f"sealed_{part}"))
        assert b"5550171" not in sealed
        assert b"eve" not in sealed
    other.sealed_file = run.sealed_file
    with pytest.raises(SealBroken):
        other.find("file")
    done = confirm(run.pk, "all", importer(inside), NOW).run
    assert done.sealed_file is None
    ended = discard(other.pk, importer(inside), NOW)
    ended.refresh_from_db()
    assert (ended.state, ended.keeps_data, ended.sealed_summary) == ("discarded", False, None)
    assert AuditEvent.objects.filter(type="import.discarded").count() == 1


def test_after_an_hour_nothing_of_a_file_is_left(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        waiting, done = (checked(acme, csv_of(f"{who},{MOBILE}")) for who in (EVE, BOB))
        confirm(done.pk, "all", importer(acme), NOW)

    assert expire(NOW + timedelta(minutes=59)) == 0
    assert expire(NOW + timedelta(minutes=61)) == 2
    assert expire(NOW + timedelta(minutes=62)) == 0

    with acme.inside():
        states = dict(ImportRun.objects.values_list("pk", "state"))
        assert states == {waiting.pk: "expired", done.pk: "applied"}
        assert not ImportRun.objects.filter(keeps_data=True).exists()
        for part in runs.SEALED:
            assert not ImportRun.objects.exclude(**{part: None}).exists()


def test_a_tenant_keeps_few_files_at_once(inside: Acme) -> None:
    made = [
        check(
            csv_of(f"{EVE},{MOBILE}"),
            "x.csv",
            ALL,
            importer(inside),
            NOW + timedelta(seconds=number),
        )
        for number in range(runs.MOST_OPEN + 2)
    ]

    open_now = ImportRun.objects.filter(state="checked", keeps_data=True)

    assert set(open_now.values_list("pk", flat=True)) == {run.pk for run in made[2:]}


def test_a_file_too_long_for_a_request_is_for_the_command(
    inside: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = csv_of(f"{EVE},{MOBILE}", f"{BOB},{MOBILE}")
    monkeypatch.setattr(runs, "MOST_ONLINE", 1)

    with pytest.raises(FileRefused, match="import_enrolment"):
        checked(inside, content)
    assert not runs.import_file(content, "x.csv", ALL, importer(inside), NOW).why


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("people.csv", "people.csv"),
        ("../../etc/people.csv", "people.csv"),
        ("C:\\Users\\ada\\people.csv", "people.csv"),
        ("=cmd.csv", "'=cmd.csv"),
        ("two\nlines\u202e.csv", "twolines.csv"),
        ("", "file.csv"),
        ("x" * 300, "x" * 120),
    ],
)
def test_a_file_name_is_neither_a_path_nor_a_formula(name: str, kept: str, inside: Acme) -> None:
    run = check(csv_of(f"{EVE},{MOBILE}"), name, ALL, importer(inside), NOW)

    assert run.file_name == kept


def test_a_refused_file_leaves_no_run(inside: Acme) -> None:
    with pytest.raises(FileRefused):
        checked(inside, b"user_id,password\neve@acme.example,x\n")

    assert not ImportRun.objects.exists()


@contextmanager
def statements() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as found:
        yield found


def crowd(acme: Acme, first: int, many: int) -> list[User]:
    people = [
        User(user_id=f"p{number}@acme.example", password="!")
        for number in range(first, first + many)
    ]
    found: list[User] = User.objects.bulk_create(people)
    return found


def test_statements_do_not_grow_with_the_rows(inside: Acme) -> None:
    crowd(inside, 0, 300)

    def file(first: int, many: int) -> bytes:
        return csv_of(*(f"p{n}@acme.example,+1 425555{n:04}" for n in range(first, first + many)))

    applied(inside, csv_of(f"{EVE},{MOBILE}"))
    found = {}
    for first, many in ((0, 2), (2, 280)):
        with statements() as seen:
            look(open_file(file(first, many)), ALL.options(importer(inside)))
        found["look", many] = len(seen)
        run = checked(inside, file(first, many))
        with statements() as seen:
            assert confirm(run.pk, "all", importer(inside), NOW).kind == "applied"
        found["confirm", many] = len(seen)

    assert found["look", 280] == found["look", 2] <= 3
    assert found["confirm", 280] == found["confirm", 2] <= 20
