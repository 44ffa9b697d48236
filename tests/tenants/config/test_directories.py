"""Directories and people's accounts in them as a file says them."""

import tomllib
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from tenants.audit import Party
from tenants.config.engine import apply_content, export_tenant
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tenants.policy_knowledge import KNOWN
from tests.tenants.config.files import applied, apply, changed
from writeback.models import Connector, DirectoryLink
from writeback.policy_knowledge import synchronised_rows
from writeback.sealing import is_canary, is_linked

ALICE, BOB, CANARY = (f"{number}f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01" for number in (1, 2, 3))
BASE = """\
[tenant]
slug = "contoso"
name = "Contoso"
domains = [{ name = "contoso.example" }]
"""
CONNECTORS = f"""
[[connectors]]
name = "Head office"
kind = "active_directory"
canary = "{CANARY}"

[[connectors]]
name = "Labs"
kind = "openldap"
enabled = false
"""
PEOPLE = f"""
[[users]]
id = "alice@contoso.example"
source = "pass_through"
directory = [
    {{ connector = "Head office", anchor = "{ALICE.upper()}" }},
    {{ connector = "Labs", anchor = "entry-7" }},
]

[[users]]
id = "bob@contoso.example"
source = "password_hash_sync"
directory = [{{ connector = "Head office", anchor = "{BOB}" }}]

[[users]]
id = "eve@contoso.example"
"""
WHOLE = BASE + CONNECTORS + PEOPLE


@pytest.fixture
def contoso(db: None) -> UUID:
    return applied(WHOLE)


def links(tenant: UUID) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    with tenant_context(tenant):
        for row in DirectoryLink.objects.select_related("user", "connector"):
            assert is_linked(row)
            found.setdefault(row.user.user_id.partition("@")[0], {})[row.connector.name] = (
                row.anchor
            )
    return found


def problem_in(text: str) -> tuple[int | None, str, str]:
    [problem] = apply(text).problems
    return problem.line, problem.key, problem.message


def test_a_file_makes_directories_and_says_where_everybodys_account_is(contoso: UUID) -> None:
    with tenant_context(contoso):
        head, labs = Connector.objects.order_by("name")
        assert (head.name, head.kind, head.enabled) == ("Head office", "active_directory", True)
        assert (head.canary, is_canary(head)) == (CANARY, True)
        assert (labs.name, labs.kind, labs.enabled) == ("Labs", "openldap", False)
        assert (labs.canary, is_canary(labs)) == ("", False)
    assert links(contoso) == {
        "alice": {"Head office": ALICE, "Labs": "entry-7"},
        "bob": {"Head office": BOB},
    }


def test_a_file_that_was_applied_and_one_that_was_exported_change_nothing(contoso: UUID) -> None:
    first = export_tenant("contoso")

    assert changed(apply(WHOLE)) == []
    assert changed(apply(first)) == []
    assert export_tenant("contoso") == first
    found = tomllib.loads(first)
    assert found["connectors"] == [
        {
            "name": "Head office",
            "kind": "active_directory",
            "enabled": True,
            "canary": CANARY,
        },
        {"name": "Labs", "kind": "openldap", "enabled": False},
    ]
    assert found["users"][0]["directory"] == [
        {"connector": "Head office", "anchor": ALICE},
        {"connector": "Labs", "anchor": "entry-7"},
    ]
    assert "directory" not in found["users"][2]


def test_an_export_makes_the_same_tenant_elsewhere(contoso: UUID) -> None:
    elsewhere = export_tenant("contoso").replace("contoso", "fabrikam")
    made = applied(elsewhere)
    assert links(made) == links(contoso)
    assert export_tenant("fabrikam") == elsewhere


def test_a_dry_run_says_what_would_be_and_does_nothing(db: None) -> None:
    outcome = apply(WHOLE, dry_run=True)
    assert changed(outcome) == [
        "+ tenant contoso",
        "+ domain contoso.example",
        "+ user alice@contoso.example",
        "+ user bob@contoso.example",
        "+ user eve@contoso.example",
        "+ connector Head office",
        "+ connector Labs",
    ]
    tenant = applied(BASE)
    assert apply(WHOLE, dry_run=True).applied is False
    assert links(tenant) == {}


def test_what_a_file_says_of_a_directory_is_all_of_it_and_others_stay(contoso: UUID) -> None:
    text = BASE + '\n[[connectors]]\nname = "Head office"\nenabled = false\n' + PEOPLE
    assert changed(apply(text)) == [
        "~ connector Head office: enabled: true → false",
        f"~ connector Head office: canary: {CANARY} → nothing",
    ]
    with tenant_context(contoso):
        head, labs = Connector.objects.order_by("name")
        assert (head.enabled, head.canary, head.canary_seal) == (False, "", None)
        assert labs.name == "Labs"
        event = AuditEvent.objects.get(type="connector.changed")
        assert event.data == {"connector": "Head office", "fields": ["enabled", "canary"]}
        assert (event.actor_kind, event.actor_label) == ("operator", "command line")
    assert changed(apply(text)) == []


def test_a_directory_that_is_switched_off_keeps_its_account_for_drills(contoso: UUID) -> None:
    off = WHOLE.replace(f'canary = "{CANARY}"', f'canary = "{CANARY}"\nenabled = false')
    assert changed(apply(off)) == ["~ connector Head office: enabled: true → false"]
    with tenant_context(contoso):
        head = Connector.objects.get(name="Head office")
        assert (head.enabled, is_canary(head)) == (False, True)


def test_another_account_for_drills_is_drilled_soon(contoso: UUID) -> None:
    with tenant_context(contoso):
        Connector.objects.update(drill_outcome="passed")
    apply(WHOLE.replace(CANARY, CANARY.replace("3", "4", 1)))
    with tenant_context(contoso):
        head = Connector.objects.get(name="Head office")
        assert is_canary(head)
        assert (head.drilled_at, head.drill_outcome) == (None, "")


def test_accounts_are_kept_where_a_file_is_silent_and_removed_where_it_says_so(
    contoso: UUID,
) -> None:
    kept = "".join(line for line in PEOPLE.splitlines(True) if "source" in line or "id =" in line)
    silent = BASE + CONNECTORS + kept.replace("id =", "[[users]]\nid =")
    assert changed(apply(silent)) == []
    assert len(links(contoso)["alice"]) == 2

    emptied = silent.replace('"pass_through"', '"pass_through"\ndirectory = []')
    assert changed(apply(emptied)) == [
        f"~ user alice@contoso.example: directory: Head office {ALICE}, Labs entry-7 → nothing"
    ]
    assert "alice" not in links(contoso)


def test_two_people_can_swap_their_accounts(contoso: UUID) -> None:
    with tenant_context(contoso):
        DirectoryLink.objects.update(described={"rules": {}})
    swapped = WHOLE.replace(ALICE.upper(), "x").replace(BOB, ALICE).replace('x"', f'{BOB}"')
    assert len(changed(apply(swapped))) == 2
    assert links(contoso)["alice"] == {"Head office": BOB, "Labs": "entry-7"}
    assert links(contoso)["bob"] == {"Head office": ALICE}
    with tenant_context(contoso):
        assert DirectoryLink.objects.filter(described__isnull=True).count() == 2
        events = AuditEvent.objects.filter(type="link.changed").order_by("created_at")
        found = [(e.target_label, e.data["connector"], e.data["change"]) for e in events]
    assert sorted(found)[1:3] == [
        ("alice@contoso.example", "Head office", "changed"),
        ("alice@contoso.example", "Labs", "added"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "line", "key", "words"),
    [
        ("enabled = false", "enable = false", 14, "connectors[1].enable", 'mean "enabled"'),
        ('"openldap"', '"edirectory"', 13, "connectors[1].kind", "active_directory, openldap"),
        ('"Labs"\nkind', '"Head office"\nkind', 12, "connectors[1].name", "once"),
        ('name = "Labs"\nk', "k", 11, "connectors[1].name", "Add this key"),
        (CANARY, "CN=drill,DC=x", 9, "connectors[0].canary", "objectGUID"),
        (CANARY, BOB, 27, "users[1].directory[0].anchor", "kept for drills"),
        (BOB, "bob", 27, "users[1].directory[0].anchor", "objectGUID"),
        (BOB, ALICE, 27, "users[1].directory[0].anchor", "somebody else's"),
        (BOB, CANARY, 27, "users[1].directory[0].anchor", "kept for drills"),
        ("entry-7", " entry-7", 21, "users[0].directory[1].anchor", "without blanks"),
        ('"Labs", a', '"Moon", a', 21, "users[0].directory[1].connector", "[[connectors]]"),
        ('"Labs", a', '"Head office", a', 21, "users[0].directory[1].connector", "one account"),
        ("anchor = \"entry", "anchr = \"entry", 21, "users[0].directory[1].anchr", "anchor"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(
    db: None, before: str, after: str, line: int, key: str, words: str
) -> None:
    outcome = apply(WHOLE.replace(before, after))

    found = {(problem.line, problem.key): problem.message for problem in outcome.problems}
    assert words in found[line, key]
    assert outcome.applied is False


def test_a_directory_keeps_its_kind(contoso: UUID) -> None:
    line, key, message = problem_in(WHOLE.replace('"openldap"', '"scim"'))
    assert (line, key) == (13, "connectors[1].kind")
    assert "can't be changed" in message
    without = (BASE + CONNECTORS).replace('kind = "openldap"\n', "")
    assert problem_in(without)[:2] == (12, "connectors[1].name")


def test_an_account_of_somebody_the_file_is_silent_about_is_theirs(contoso: UUID) -> None:
    only_eve = BASE + '[[users]]\nid = "eve@contoso.example"\n'
    text = only_eve + f'directory = [{{ connector = "Head office", anchor = "{ALICE}" }}]\n'
    assert "somebody else's" in problem_in(text)[2]


def test_an_account_of_a_person_is_not_drilled(contoso: UUID) -> None:
    text = BASE + CONNECTORS.replace(CANARY, ALICE)
    line, key, message = problem_in(text)
    assert (line, key) == (9, "connectors[0].canary")
    assert "is a person's" in message


def test_guests_have_no_directory_here(db: None) -> None:
    guest = '[[guests]]\nid = "bob_x.example#EXT#@contoso.example"\ndirectory = []\n'
    assert "no such key" in problem_in(BASE + guest)[2]


def test_an_account_of_somebody_whose_password_is_kept_here_is_warned_about(db: None) -> None:
    outcome = apply(WHOLE.replace('source = "pass_through"\n', ""))
    [warned] = [each for each in outcome.warnings if each.key.startswith("users")]
    assert (warned.line, warned.key) == (18, "users[0].directory")
    assert "source is cloud" in warned.message
    assert len(changed(apply(WHOLE))) == 1


def test_who_applied_stands_in_the_trail(db: None) -> None:
    actor = Party("operator", None, "olga")
    outcome = apply_content(WHOLE.encode(), file="x", actor=actor)
    assert outcome.applied
    tenant = applied(WHOLE)
    with tenant_context(tenant):
        rows = AuditEvent.objects.filter(type__in=["connector.added", "link.changed"])
        assert {row.actor_label for row in rows} == {"olga"}
        assert rows.count() == 5


@pytest.mark.parametrize(
    ("text", "is_synchronised"),
    [
        (BASE, False),
        (BASE + '[[users]]\nid = "eve@contoso.example"\n', False),
        (BASE + '[[connectors]]\nname = "Head office"\n', True),
        (BASE + '[[users]]\nid = "eve@contoso.example"\nsource = "federated"\n', True),
    ],
)
def test_a_tenant_is_synchronised_by_a_directory_or_by_its_people(
    db: None, text: str, is_synchronised: bool
) -> None:
    other = applied(WHOLE.replace("contoso", "fabrikam"))
    tenant = applied(text)
    with tenant_context(tenant):
        assert bool(synchronised_rows()) is is_synchronised
        assert KNOWN.is_synchronised() is is_synchronised
    with tenant_context(other):
        assert KNOWN.is_synchronised() is True


def test_accounts_of_many_people_take_few_statements(
    contoso: UUID, django_assert_max_num_queries: Any
) -> None:
    people = "".join(
        f'[[users]]\nid = "p{n}@contoso.example"\nsource = "federated"\n'
        f'directory = [{{ connector = "Labs", anchor = "p{n}" }}]\n'
        for n in range(300)
    )
    with django_assert_max_num_queries(60):
        outcome = apply(BASE + people)
    assert outcome.problems == ()
    with tenant_context(contoso):
        assert DirectoryLink.objects.count() == 303
        assert User.objects.count() == 303
