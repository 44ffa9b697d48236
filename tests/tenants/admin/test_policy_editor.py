"""The policy editor: every rule at its field, two administrators at once, what the trail keeps."""

import html
import re

import pytest

from tenants.context import tenant_context
from tenants.limits import MAX_FIELDS
from tenants.models import Group, ResetPolicy, Subscription
from tenants.policy import METHODS
from tenants.policy_knowledge import KNOWN
from tests.tenants.admin.cast import House, canary, contoso
from tests.tenants.admin.desk import Desk, colleague, is_saved, row_page, trail

pytestmark = pytest.mark.django_db
TABLE = "tenants/resetpolicy"
BASE = {"methods": ["email", "app_code", "mobile_phone", "security_questions"]}


@pytest.fixture
def own() -> House:
    return contoso()


@pytest.fixture
def desk(own: House) -> Desk:
    return Desk(own.admin)


def policy_of(house: House) -> ResetPolicy:
    with tenant_context(house.tenant):
        found: ResetPolicy = ResetPolicy.objects.select_related("group").get()
        return found


def errors_at(text: str, field: str) -> str:
    """What the page says at one field."""
    found = re.search(rf'id="id_{field}_error"[^>]*>(.*?)</ul>', text, re.DOTALL)
    return html.unescape(found.group(1)) if found else ""


def test_the_whole_policy_comes_back_as_it_was_saved(own: House, desk: Desk) -> None:
    page = row_page(own, TABLE)
    changes = {
        **BASE,
        "methods_required": "2",
        "reconfirm_days": "90",
        "custom_questions": "What was your first bicycle?\r\n\r\nName of your boat?",
        "banned_terms": "contoso\r\nredwood",
        "limit_failed_proofs": "3",
        "notify_user": None,
    }

    sent = desk.filled(page, **changes)
    answer = desk.post(page, sent)

    assert is_saved(answer)
    assert len(sent) > MAX_FIELDS
    policy = policy_of(own)
    assert policy.methods == ["app_code", "mobile_phone", "email", "security_questions"]
    assert policy.custom_questions == ["What was your first bicycle?", "Name of your boat?"]
    assert policy.banned_terms == ["contoso", "redwood"]
    assert (policy.reconfirm_days, policy.limits) == (90, {"failed_proofs": 3})
    assert (policy.notify_user, policy.version) == (False, 2)
    again = desk.filled(page)
    assert again["banned_terms"] == ["contoso\nredwood"]
    assert is_saved(desk.post(page, again))
    assert policy_of(own).version == 2


@pytest.mark.parametrize(
    ("field", "changes", "words"),
    [
        ("methods", {"methods": ["security_questions"]}, "never stand alone"),
        ("methods", {"methods": ["app_code", "email"]}, "as many other methods"),
        ("methods", {"methods": ["email"]}, "at least 2 methods"),
        ("group", {"enabled": "selected", "group": ""}, "Name the group"),
        ("group", {"enabled": "selected", "group": "nowhere"}, "no group of this name"),
        (
            "questions_to_reset",
            {"questions_to_register": "3", "questions_to_reset": "4"},
            "as many",
        ),
        ("questions_to_register", {"questions_to_register": "9"}, "from 3 to 5"),
        ("reconfirm_days", {"reconfirm_days": "731"}, "from 0 to 730"),
        ("custom_questions", {"custom_questions": "ab"}, "Line 1: Write at least 3"),
        ("custom_questions", {"custom_questions": "Same one?\nsame ONE?"}, "each question once"),
        ("custom_questions", {"custom_questions": "\n".join(f"Q {n}?" for n in range(21))}, "20"),
        ("password_min_length", {"password_min_length": "7"}, "from 8 to 256"),
        ("banned_terms", {"banned_terms": "contoso\nabc"}, "Line 2: A banned term has at least 4"),
        ("banned_terms", {"banned_terms": "contoso\nCONTOSO"}, "each banned term once"),
        ("limit_failed_proofs", {"limit_failed_proofs": "6"}, "only be tightened"),
        ("limit_failed_proofs", {"limit_failed_proofs": "0"}, "only be tightened"),
    ],
)
def test_what_can_not_be_is_told_at_its_field_and_nothing_is_saved(
    field: str, changes: dict[str, object], words: str, own: House, desk: Desk
) -> None:
    page = row_page(own, TABLE)

    refused = desk.send(page, **{**BASE, **changes})
    accepted = desk.send(page, **BASE)

    assert refused.status_code == 200
    assert words in errors_at(refused.content.decode(), field)
    assert is_saved(accepted)
    assert policy_of(own).version == 2
    assert len(trail(own, "policy.changed")) == 1


def test_each_change_is_in_the_trail_with_its_old_and_its_new_value(own: House, desk: Desk) -> None:
    with tenant_context(own.tenant):
        pilot = Group.objects.create(name="pilot")

    desk.send(
        row_page(own, TABLE),
        **BASE,
        enabled="selected",
        group="pilot",
        limit_admin_sign_in="2",
        password_min_length="12",
    )

    [event] = trail(own, "policy.changed")
    assert policy_of(own).group == pilot
    assert (event.actor_label, event.actor_kind) == (own.admin, "administrator")
    assert event.data["version"] == 2
    assert set(event.data["fields"]) == {
        "policy.enabled",
        "policy.group",
        "policy.methods",
        "password.min_length",
        "limits.admin_sign_in",
    }
    assert "policy.enabled: all → selected" in event.data["changes"]
    assert "policy.group: nothing → pilot" in event.data["changes"]
    assert "password.min_length: 8 → 12" in event.data["changes"]
    assert "limits.admin_sign_in: nothing → 2" in event.data["changes"]


def test_the_second_of_two_administrators_is_told_and_loses_nothing_typed(
    own: House, desk: Desk
) -> None:
    page = row_page(own, TABLE)
    second = colleague(own, "authentication_policy_administrator")
    typed = second.filled(page, **BASE, banned_terms="typed-by-second", reconfirm_days="30")

    first = desk.send(page, **BASE, reconfirm_days="60")
    told = second.post(page, typed)

    text = told.content.decode()
    assert is_saved(first)
    assert told.status_code == 200
    assert f"changed by {own.admin} while you worked on it" in html.unescape(text)
    assert "Saved meanwhile: 60." in errors_at(text, "reconfirm_days")
    assert "typed-by-second" in text
    assert policy_of(own).reconfirm_days == 60

    fields = {**typed, "version": re.findall(r'name="version" value="(\d+)"', text)}
    assert is_saved(second.post(page, fields))
    assert (policy_of(own).reconfirm_days, policy_of(own).version) == (30, 3)


def test_what_the_plan_leaves_out_is_a_warning_and_keeps_nothing_from_being_saved(
    own: House, desk: Desk
) -> None:
    page = row_page(own, TABLE)
    with tenant_context(own.tenant):
        Subscription.objects.update(plan="free")

    answer = desk.send(
        page, methods=[*BASE["methods"], "office_phone"], writeback="on", banned_terms="contoso"
    )
    text = html.unescape(desk.read(page))

    assert is_saved(answer)
    assert policy_of(own).writeback
    assert "Only administrators can reset on this plan." in text
    assert "Office phones are called, and this plan or trial has no voice calls." in text
    assert "This plan does not include the organisation's own directory." in text
    assert "Words of your own do not count on this plan." in text


def test_methods_that_can_not_be_verified_yet_come_last_and_say_so(
    own: House, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = {"passkey", "hardware_token", "app_notification", "backup_codes"}
    monkeypatch.setattr(KNOWN, "verifiable", frozenset(METHODS) - missing)
    page = row_page(own, TABLE)

    text = desk.read(page)
    values = re.findall(r'name="methods" value="(\w+)"', text)
    desk.send(page, methods=[*BASE["methods"], "passkey"])

    assert values[0] == "yubikey_otp"
    assert set(values[-4:]) == missing
    assert text.count("not available in this version yet") == 4
    assert "passkey" in policy_of(own).methods
    assert "Nobody can use passkey in this version yet." in desk.read(page)


def test_the_page_tells_the_policy_in_a_sentence_and_the_fixed_one_of_administrators(
    own: House, desk: Desk
) -> None:
    text = html.unescape(desk.read(row_page(own, TABLE)))

    assert "Everybody with a licence resets with 2 of: app code, email code." in text
    assert "Administrators: two proofs, never questions." in text
    assert "The fixed policy of administrators" in text


def test_a_tenant_without_a_policy_makes_its_first_one(own: House, desk: Desk) -> None:
    with tenant_context(own.tenant):
        ResetPolicy.objects.all().delete()

    opened = desk.client.get(f"/admin/{TABLE}/")
    answer = desk.send(f"{TABLE}/add/", **BASE)
    again = desk.client.get(f"/admin/{TABLE}/add/")

    assert opened.headers["Location"].endswith("/add/")
    assert is_saved(answer)
    assert policy_of(own).version == 1
    assert again.status_code == 403


def test_the_name_of_another_tenants_group_is_no_group_here(own: House, desk: Desk) -> None:
    other = canary()
    with tenant_context(other.tenant):
        theirs = Group.objects.get(pk=other.rows["tenants/group"])

    for value in (theirs.name, str(theirs.pk)):
        answer = desk.send(row_page(own, TABLE), **BASE, enabled="selected", group=value)
        assert "no group of this name" in errors_at(answer.content.decode(), "group")
    assert policy_of(own).group is None


@pytest.mark.parametrize("role", ["user_administrator", "helpdesk_administrator", "global_reader"])
def test_who_may_only_look_sees_the_policy_and_can_not_save_it(role: str, own: House) -> None:
    looking = colleague(own, role)
    page = row_page(own, TABLE)

    text = looking.read(page)
    answer = looking.post(page, {"methods_required": "1"})

    assert "Save policy" not in text
    assert "Limits in force" in text
    assert answer.status_code == 403
    [denied] = trail(own, "admin.denied")
    assert (denied.result, denied.data["path"]) == ("denied", f"/admin/{page}")
    assert policy_of(own).version == 1
