"""The section reminders: who is told before a password ends, and in which words."""

import tomllib
from uuid import UUID

import pytest

from tenants.config.engine import export_tenant
from tenants.context import tenant_context
from tenants.models import Group
from tests.tenants.config.files import applied, apply, changed
from writeback.models import ExpiryReminders

BASE = """\
[tenant]
slug = "contoso"
name = "Contoso"
"""
GROUPS = '[[groups]]\nname = "service accounts"\n[[groups]]\nname = "a board"\n'
REMINDERS = """\
[reminders]
days = [1, 21, 7]
channel = "both"
groups_excluded = ["service accounts", "a board"]
exclude_unregistered = true
managers_summary = true
texts = { de = "Hallo {name},\\nnoch {days} Tage", en = "{date} at {organisation}", fr = "" }
"""
WHOLE = BASE + REMINDERS + GROUPS


@pytest.fixture
def contoso(db: None) -> UUID:
    return applied(WHOLE)


def test_nobody_is_reminded_unless_a_file_says_so(db: None) -> None:
    tenant = applied(BASE)
    with tenant_context(tenant):
        assert not ExpiryReminders.objects.exists()
    assert "reminders" not in tomllib.loads(export_tenant("contoso"))


def test_the_section_alone_reminds_by_mail_on_the_usual_days(db: None) -> None:
    tenant = applied(BASE + "[reminders]\n")
    with tenant_context(tenant):
        row = ExpiryReminders.objects.get()
        assert (row.days, row.channel) == ([14, 7, 3, 1], "email")
        assert (row.groups_excluded, row.texts) == ([], {})
        assert (row.exclude_unregistered, row.managers_summary) == (False, False)


def test_every_key_is_kept(contoso: UUID) -> None:
    with tenant_context(contoso):
        row = ExpiryReminders.objects.get()
        groups = {str(pk) for pk in Group.objects.values_list("pk", flat=True)}
        assert (row.days, row.channel, set(row.groups_excluded)) == ([21, 7, 1], "both", groups)
        assert (row.exclude_unregistered, row.managers_summary) == (True, True)
        assert row.texts == {
            "de": "Hallo {name},\nnoch {days} Tage",
            "en": "{date} at {organisation}",
        }


def test_what_was_applied_or_exported_changes_nothing_when_it_is_applied(contoso: UUID) -> None:
    first = export_tenant("contoso")
    assert changed(apply(WHOLE)) == []
    assert changed(apply(first)) == []
    assert export_tenant("contoso") == first
    assert tomllib.loads(first)["reminders"] == {
        "days": [21, 7, 1],
        "channel": "both",
        "groups_excluded": ["a board", "service accounts"],
        "exclude_unregistered": True,
        "managers_summary": True,
        "texts": {"de": "Hallo {name},\nnoch {days} Tage", "en": "{date} at {organisation}"},
    }


def test_a_change_is_told_key_by_key(contoso: UUID) -> None:
    text = BASE + '[reminders]\ndays = []\ngroups_excluded = ["a board"]\ntexts = { en = "Hi" }\n'
    wanted = [
        "~ reminders.days: 21, 7, 1 → nothing",
        "~ reminders.channel: both → email",
        "~ reminders.groups_excluded: a board, service accounts → a board",
        "~ reminders.exclude_unregistered: true → false",
        "~ reminders.managers_summary: true → false",
        "~ reminders.texts: (changed)",
    ]
    assert changed(apply(text, dry_run=True)) == wanted
    assert changed(apply(text)) == wanted
    assert changed(apply(text)) == []


def test_without_the_section_everything_stays(contoso: UUID) -> None:
    before = tomllib.loads(export_tenant("contoso"))["reminders"]
    assert changed(apply(BASE + GROUPS)) == []
    assert tomllib.loads(export_tenant("contoso"))["reminders"] == before


def test_a_group_that_is_gone_is_not_named_any_more(contoso: UUID) -> None:
    with tenant_context(contoso):
        Group.objects.filter(name="a board").delete()
    exported = export_tenant("contoso")
    assert tomllib.loads(exported)["reminders"]["groups_excluded"] == ["service accounts"]
    assert changed(apply(exported)) == []


@pytest.mark.parametrize(
    ("line", "at", "key", "words"),
    [
        ("days = [0]", 5, "reminders.days[0]", "from 1 to 90"),
        ("days = [91]", 5, "reminders.days[0]", "from 1 to 90"),
        ("days = [3, 3]", 5, "reminders.days[1]", "once"),
        ("days = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]", 5, "reminders.days", "at most 10"),
        ('channel = "fax"', 5, "reminders.channel", "email, sms, both"),
        ('groups_excluded = ["x"]', 5, "reminders.groups_excluded[0]", "no such group"),
        ("managers_summary = 1", 5, "reminders.managers_summary", "true or false"),
        ("manager_summary = true", 5, "reminders.manager_summary", 'mean "managers_summary"'),
        ('texts = { xx = "Hi" }', 5, "reminders.texts.xx", "no such key"),
        ('texts = { en = "{password}" }', 5, "reminders.texts.en", "Use only {name}"),
        ("texts = { en = 5 }", 5, "reminders.texts.en", "text in quotes"),
        ('texts = { en = "a\\u0007" }', 5, "reminders.texts.en", "control characters"),
        (f'texts = {{ en = "{"x" * 1001}" }}', 5, "reminders.texts.en", "at most 1000"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    db: None, line: str, at: int, key: str, words: str
) -> None:
    [problem] = apply(f"{BASE}[reminders]\n{line}\n").problems

    assert (problem.line, problem.key) == (at, key)
    assert words in problem.message
