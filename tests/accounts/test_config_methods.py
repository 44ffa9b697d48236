"""The section verification of a policy file: set, kept, refused, and without its secret."""

import pytest

from accounts.models import MethodSettings
from tenants.config.engine import export_tenant
from tenants.context import tenant_context
from tests.services.validation import CLIENT, KEY
from tests.tenants.config.files import applied, apply, changed

pytestmark = pytest.mark.django_db

BASE = """\
[tenant]
slug = "contoso"
name = "Contoso"
domains = [{ name = "contoso.example" }]

[[users]]
id = "rita@contoso.example"
"""
SERVER = f"""
[verification]
approver = "Rita@contoso.example"
validation_url = "https://keys.example/verify"
validation_client = "{CLIENT}"
"""
WITH_KEY = SERVER + f'validation_key = "{KEY}"\n'


def test_it_is_set_with_people_of_the_same_file_and_applied_twice_changes_nothing() -> None:
    tenant = applied(BASE + WITH_KEY)

    with tenant_context(tenant):
        row = MethodSettings.objects.select_related("approver").get()
        assert row.approver is not None
        assert row.approver.user_id == "rita@contoso.example"
        assert row.read_key().reveal() == KEY
    assert changed(apply(BASE + WITH_KEY)) == []
    assert changed(apply(BASE + SERVER)) == []
    assert changed(apply(BASE)) == []


def test_what_is_exported_has_no_key_and_can_be_applied() -> None:
    applied(BASE + WITH_KEY)

    text = export_tenant("contoso")

    assert KEY not in text
    assert "https://keys.example/verify" in text
    assert changed(apply(text)) == []


def test_an_empty_section_forgets_everything() -> None:
    tenant = applied(BASE + WITH_KEY)

    applied(BASE + "\n[verification]\n")

    with tenant_context(tenant):
        row = MethodSettings.objects.get()
        assert (row.approver, row.has_server, row.sealed_key) == (None, False, None)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (SERVER, "validation_key"),
        (WITH_KEY.replace("https", "http"), "validation_url"),
        (WITH_KEY.replace("Rita@", "nobody@"), "approver"),
        (WITH_KEY.replace(f'"{CLIENT}"', '"x"'), "validation_client"),
    ],
)
def test_what_can_not_work_is_told_at_its_key(text: str, field: str) -> None:
    outcome = apply(BASE + text)

    assert [problem.key for problem in outcome.problems] == [f"verification.{field}"]
    assert KEY not in repr(outcome)
