"""Applying a file: the plan, its words, what is written, and what is left alone."""

import json
import threading
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tenants.audit_types import allowed_data, get_event_type
from tenants.config import engine
from tenants.config.engine import Outcome
from tenants.context import tenant_context
from tenants.lookup import find_tenant, tenant_ids
from tenants.models import (
    AuditEvent,
    Domain,
    Group,
    GroupNesting,
    Host,
    ResetPolicy,
    Subscription,
    Tenant,
)
from tests.tenants.config.files import EXAMPLE, FABRIKAM, SECRETS, applied, apply, changed

MINIMAL = """\
[tenant]
slug = "contoso"
name = "Contoso"
"""


@pytest.fixture
def contoso() -> UUID:
    """The example file applied, its partner first."""
    applied(FABRIKAM)
    return applied(EXAMPLE)


@pytest.mark.django_db
def test_the_example_makes_a_whole_tenant(contoso: UUID) -> None:
    with tenant_context(contoso):
        tenant = Tenant.objects.get()
        assert (tenant.name, tenant.languages) == ("Contoso", ["en", "de"])
        assert (tenant.helpdesk_email, tenant.brand_color) == ("help@contoso.example", "#0b5cad")
        assert [domain.name for domain in Domain.objects.all()] == ["contoso.example"]
        assert [host.name for host in Host.objects.all()] == ["contoso.localhost"]
        bought = Subscription.objects.get()
        assert (bought.plan, str(bought.trial_started)) == ("p1", "2026-11-01")
        policy = ResetPolicy.objects.get()
        assert policy.rules().methods_required == 2
        assert len(policy.methods) == 9
        assert [group.name for group in Group.objects.all()] == ["sspr-pilot"]


@pytest.mark.django_db
def test_applying_twice_is_nothing_to_do(contoso: UUID) -> None:
    outcome = apply(EXAMPLE)

    assert (outcome.problems, changed(outcome), outcome.applied) == ((), [], False)
    with tenant_context(contoso):
        assert AuditEvent.objects.filter(type="policy.applied").count() == 1
        assert ResetPolicy.objects.get().version == 1


@pytest.mark.django_db
def test_a_file_of_two_keys_is_enough() -> None:
    outcome = apply(MINIMAL)

    assert changed(outcome) == ["+ tenant contoso"]
    assert [warned.message for warned in outcome.warnings] == [
        "There is no [policy]: nobody but administrators can reset."
    ]
    assert changed(apply(MINIMAL)) == []


@pytest.mark.django_db
def test_each_difference_is_one_line_and_raises_the_version_of_the_policy_once(
    contoso: UUID,
) -> None:
    text = (
        EXAMPLE.replace("methods_required = 2", "methods_required = 1")
        .replace('enabled = "all"', 'enabled = "selected"')
        .replace('group = ""', 'group = "sspr-pilot"')
        .replace('color = "#0b5cad"', 'color = ""')
        .replace("min_length = 8", "min_length = 12")
        .replace('plan = "p1" ', 'plan = "p2" ')
    )
    outcome = apply(text + "\n[limits]\nfailed_proofs = 3\n")

    assert changed(outcome) == [
        "~ branding.color: #0b5cad → nothing",
        "~ tenant.plan: p1 → p2",
        "~ policy.enabled: all → selected",
        "~ policy.group: nothing → sspr-pilot",
        "~ policy.methods_required: 2 → 1",
        "~ password.min_length: 8 → 12",
        "~ limits.failed_proofs: nothing → 3",
    ]
    with tenant_context(contoso):
        policy = ResetPolicy.objects.get()
        assert (policy.version, policy.limits) == (2, {"failed_proofs": 3})
        event = AuditEvent.objects.filter(type="policy.changed").latest("created_at")
        assert "policy.methods_required" in event.data["fields"]
        assert "branding.color" not in event.data["fields"]
        assert event.actor_kind == "operator"


@pytest.mark.django_db
def test_a_file_without_a_policy_takes_the_policy_away(contoso: UUID) -> None:
    outcome = apply(MINIMAL + DOMAINS)

    assert "- policy" in changed(outcome)
    with tenant_context(contoso):
        assert not ResetPolicy.objects.exists()


DOMAINS = 'domains = [{ name = "contoso.example" }]\n'


@pytest.mark.django_db
def test_password_rules_alone_let_nobody_reset() -> None:
    tenant = applied(MINIMAL + "[password]\nmin_length = 14\n")

    with tenant_context(tenant):
        policy = ResetPolicy.objects.get()
        assert (policy.enabled, policy.password_min_length) == ("none", 14)


@pytest.mark.django_db
def test_sections_that_do_not_stand_are_left_alone_apart_from_the_policy(contoso: UUID) -> None:
    text = MINIMAL + DOMAINS + '[policy]\nmethods = ["email", "mobile_phone"]\n'
    apply(text)

    with tenant_context(contoso):
        assert Tenant.objects.get().helpdesk_email == "help@contoso.example"
        assert Group.objects.get().name == "sspr-pilot"
        assert ResetPolicy.objects.get().check_breached


@pytest.mark.django_db
def test_groups_are_nested_as_the_file_says(contoso: UUID) -> None:
    nested = EXAMPLE + '\n[[groups]]\nname = "Alle Ä"\ngroups = ["sspr-pilot"]\n'
    assert changed(apply(nested)) == ["+ group Alle Ä"]

    with tenant_context(contoso):
        nesting = GroupNesting.objects.get()
        assert (nesting.parent.name, nesting.child.name) == ("Alle Ä", "sspr-pilot")
    assert changed(apply(nested.replace('["sspr-pilot"]', "[]"))) == [
        "~ group Alle Ä: groups: -sspr-pilot"
    ]
    assert changed(apply(EXAMPLE)) == []


@pytest.mark.django_db
def test_domains_and_hosts_are_what_the_file_says(contoso: UUID) -> None:
    text = EXAMPLE.replace(
        'domains = [{ name = "contoso.example", verified = true, custom = true }]',
        'domains = [{ name = "contoso.example", custom = false }, { name = "C2.example" }]',
    ).replace('["contoso.localhost"]', '["RESET.contoso.example"]')

    assert changed(apply(text)) == [
        "~ domain contoso.example: custom: true → false",
        "+ domain c2.example",
        "+ host reset.contoso.example",
        "- host contoso.localhost",
    ]
    assert find_tenant(domain="c2.example") == contoso
    assert changed(apply(text)) == []
    assert "- domain c2.example" in changed(apply(EXAMPLE))


@pytest.mark.django_db
def test_a_domain_in_use_is_not_given_up(contoso: UUID) -> None:
    outcome = apply(MINIMAL)

    assert [(found.key, found.line) for found in outcome.problems] == [("tenant.domains", 1)]
    assert "People still have user IDs at contoso.example" in outcome.problems[0].message


def messages(outcome: Outcome) -> dict[str, str]:
    return {warned.key: warned.message for warned in outcome.warnings}


@pytest.mark.parametrize(
    ("plan", "policy", "key", "words"),
    [
        ("free", "", "policy.enabled", "Only administrators can reset on this plan."),
        ("business_standard", "writeback = true", "policy.writeback", "directory"),
        ("p1", "unlock_without_reset = true", "policy.unlock_without_reset", "writeback"),
        ("business_standard", "unlock_without_reset = true", "policy.unlock_without_reset", "plan"),
        ("free", 'methods = ["email", "office_phone"]', "policy.methods", "voice"),
        ("p1", 'enabled = "none"', "policy.enabled", "none"),
        (
            "p1",
            'methods_required = 1\nmethods = ["email", "security_questions"]',
            "policy.methods_required",
            "never stand alone",
        ),
        (
            "free",
            'methods_required = 1\nmethods = ["office_phone"]',
            "policy.methods",
            "only 0 of these methods",
        ),
        ("free", '[password]\nbanned_terms = ["contoso"]', "password.banned_terms", "plan"),
    ],
)
@pytest.mark.django_db
def test_a_policy_wider_than_the_plan_is_saved_with_a_warning(
    plan: str, policy: str, key: str, words: str
) -> None:
    outcome = apply(f'{MINIMAL}plan = "{plan}"\n[policy]\n{policy}\n')

    assert outcome.applied
    assert any(warned.key == key and words in warned.message for warned in outcome.warnings)


@pytest.mark.django_db
def test_a_trial_has_no_calls_and_a_policy_that_fits_has_no_warnings() -> None:
    fitting = MINIMAL + "[policy]\n"
    trial = MINIMAL + "trial_started = 2026-11-01\n[policy]\n"

    assert messages(apply(fitting)) == {}
    assert "voice" in messages(apply(trial))["policy.methods"]


def run(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_the_exit_code_says_what_happened(tmp_path: Path) -> None:
    applied(FABRIKAM)
    file = tmp_path / "contoso.toml"
    file.write_text(EXAMPLE, encoding="utf-8")

    dry, plan, _ = run("apply", str(file), "--dry-run")
    assert (dry, find_tenant(slug="contoso")) == (2, None)
    assert "+ user alice@contoso.example\n" in plan
    assert "Nothing was applied." in plan
    done, words, _ = run("apply", str(file))
    assert (done, words.rpartition("contoso: ")[2]) == (0, "8 changes applied.\n")
    assert run("apply", str(file))[:2] == (0, words_of_nothing(str(file)))
    assert run("apply", str(file), "--dry-run")[0] == 0
    file.write_text(EXAMPLE.replace('"all"', '"everybody"'), encoding="utf-8")
    code, out, err = run("apply", str(file))
    assert (code, out) == (1, "")
    assert f"{file}:24:1: policy.enabled: Use one of: none, selected, all." in err
    assert "Nothing was applied." in err


def words_of_nothing(file: str) -> str:
    phones = "Mobile phones get text messages only: no voice calls on this plan."
    office = "Office phones are called, and this plan or trial has no voice calls."
    return (
        f"warning: {file}:27: policy.methods: {office}\n"
        f"warning: {file}:27: policy.methods: {phones}\n"
        "contoso: nothing to do.\n"
    )


@pytest.mark.django_db
def test_the_machine_form_says_the_same(tmp_path: Path) -> None:
    file = tmp_path / "contoso.toml"
    file.write_text(MINIMAL + "[policy]\n", encoding="utf-8")

    code, out, _ = run("apply", str(file), "--json", "--dry-run")
    assert code == 2
    assert json.loads(out) == {
        "file": str(file),
        "tenant": "contoso",
        "valid": True,
        "problems": [],
        "changes": [
            {"action": "create", "kind": "tenant", "name": "contoso", "field": ""},
            {"action": "create", "kind": "policy", "name": "", "field": ""},
        ],
        "warnings": [],
        "applied": False,
    }
    assert json.loads(run("apply", str(file), "--json")[1])["applied"] is True
    assert json.loads(run("apply", str(file), "--json")[1])["applied"] is False
    file.write_text("[tenant]\nname = 5\n", encoding="utf-8")
    code, out, _ = run("apply", str(file), "--json")
    assert code == 1
    assert json.loads(out)["problems"] == [
        {
            "line": 1,
            "column": 1,
            "key": "tenant.slug",
            "message": "Add this key: the short name: small letters, digits, dashes",
        },
        {"line": 2, "column": 1, "key": "tenant.name", "message": "Write a text in quotes."},
    ]


@pytest.mark.django_db
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    code, _, err = run("apply", str(tmp_path / "none.toml"))

    assert code == 1
    assert "The file can't be read: No such file or directory." in err
    with pytest.raises(CommandError, match="Name the FILE"):
        call_command("apply")
    with pytest.raises(CommandError, match="no tenant of that slug"):
        call_command("export", "nobody")


@pytest.mark.django_db
def test_no_secret_is_in_any_output(tmp_path: Path) -> None:
    applied(FABRIKAM)
    file = tmp_path / "contoso.toml"
    outputs: list[str] = []
    broken = EXAMPLE.replace('"first_pet"', '"first_dragon"').replace("JBSW", "!JBSW")
    short = EXAMPLE.replace('answer = "Snowball the Third"', 'answer = "Snowball' + " x" * 40 + '"')
    changed_secrets = EXAMPLE.replace("Tall-Ships", "New Tall-Ships").replace("Snow", "My Snow")
    both = EXAMPLE.replace('source = "cloud"', 'password_hash = "Tall-Ships 4 Alice"')
    for text in (EXAMPLE, broken, short, both, changed_secrets, EXAMPLE):
        file.write_text(text, encoding="utf-8")
        for options in (["--dry-run"], ["--json", "--dry-run"], [], ["--json"]):
            outputs += run("apply", str(file), *options)[1:]
    outputs += run("export", "contoso")[1:]
    tenant = find_tenant(slug="contoso")
    assert tenant is not None
    with tenant_context(tenant):
        outputs += [str(event.__dict__) for event in AuditEvent.objects.all()]

    text = "\n".join(outputs)
    assert "password: (secret, changed)" in text
    assert "questions: (secret, changed)" in text
    for secret in (*SECRETS, "argon2"):
        assert secret not in text


@pytest.mark.django_db(transaction=True)
def test_one_file_applied_by_several_at_once_makes_one_tenant() -> None:
    start = threading.Barrier(3)
    outcomes: list[Outcome] = []

    def go() -> None:
        start.wait(timeout=10)
        outcomes.append(apply(MINIMAL + DOMAINS + "[policy]\n"))
        connection.close()

    threads = [threading.Thread(target=go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [outcome.problems for outcome in outcomes] == [(), (), ()]
    assert sorted(outcome.applied for outcome in outcomes) == [False, False, True]
    assert len(tenant_ids()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_that_somebody_applied_a_moment_ago_is_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = MINIMAL + DOMAINS + "[policy]\n"

    def too_early(**names: str) -> UUID | None:
        found = find_tenant(**names)
        monkeypatch.setattr(engine, "find_tenant", find_tenant)
        assert apply(content).applied
        return found

    monkeypatch.setattr(engine, "find_tenant", too_early)
    outcome = apply(content)

    assert (outcome.problems, outcome.applied) == ((), False)
    assert len(tenant_ids()) == 1


@pytest.mark.django_db
def test_what_is_recorded_is_allowed_by_its_type(contoso: UUID) -> None:
    with tenant_context(contoso):
        event = AuditEvent.objects.get(type="policy.applied")

    assert event.data == {"changes": 8, "warnings": 2}
    assert allowed_data(get_event_type("policy.applied"), event.data) == event.data
