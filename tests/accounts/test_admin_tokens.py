"""The inventory of tokens and the settings of methods on the administration site."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Credential, ImportRun, MethodSettings, User
from notifications.models import Message
from tenants.context import tenant_context
from tests.credentials import give_token, token_of
from tests.services.validation import CLIENT, KEY
from tests.tenants.admin.cast import House, canary, contoso
from tests.tenants.admin.desk import Desk, colleague, is_saved, trail

pytestmark = pytest.mark.django_db

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
AES = "000102030405060708090a0b0c0d0e0f"
FILE = (
    "serial,seed,period,public_id,private_id,aes_key\n"
    f"GT-1,{SEED},60,,,\n"
    f"GT-2,{SEED},45,,,\n"
    f",,,cccccccbhilk,010203040506,{AES}\n"
)
TABLE = "accounts/credential"


@pytest.fixture
def own() -> House:
    return contoso()


def _upload(desk: Desk, text: str = FILE) -> Any:
    sent = SimpleUploadedFile("tokens.csv", text.encode(), content_type="text/csv")
    return desk.client.post(f"/admin/{TABLE}/upload/", {"import_file": sent})


def _tokens(house: House) -> dict[str, Credential]:
    """By name, without the one that stands in every house."""
    with tenant_context(house.tenant):
        rows = Credential.objects.select_related("user").exclude(
            pk=house.rows["accounts/credential"]
        )
        return {row.name: row for row in rows}


def test_a_file_is_checked_shown_without_its_secrets_and_applied_once(own: House) -> None:
    desk = Desk(own.admin)

    page = _upload(desk).headers["Location"]
    shown = desk.client.get(page).content.decode()
    before = _tokens(own)
    for _ in "12":
        desk.client.post(page, {"decision": "apply"})

    assert "30 or 60 seconds" in shown
    assert before == {}
    assert SEED not in shown
    assert AES not in shown
    assert set(_tokens(own)) == {"GT-1", "cccccccbhilk"}
    [event] = trail(own, "tokens.added")
    assert event.data == {"rows": 3, "added": 2, "kept": 0}
    with tenant_context(own.tenant):
        assert ImportRun.objects.get().sealed_file is None
    assert "applied, discarded or removed" in desk.client.get(page).content.decode()
    for row in _tokens(own).values():
        assert SEED not in desk.read(f"{TABLE}/{row.pk}/change/")


def test_what_is_there_already_stays_and_a_discarded_file_adds_nothing(own: House) -> None:
    desk = Desk(own.admin)
    with tenant_context(own.tenant):
        owner = User.objects.get(user_id=own.person)
        kept = give_token(owner, token_of(owner), "GT-1")
    page = _upload(desk).headers["Location"]

    assert "stays as it is" in desk.client.get(page).content.decode()
    desk.client.post(page, {"decision": "discard"})
    assert set(_tokens(own)) == {"GT-1"}
    desk.client.post(_upload(desk).headers["Location"], {"decision": "apply"})

    assert _tokens(own)["GT-1"].sealed == kept.sealed


@pytest.mark.parametrize("text", ["", "serial,seed\n", "name,color\nx,y\n", "\x00"])
def test_a_file_that_can_not_be_read_is_refused_with_a_reason(own: House, text: str) -> None:
    answer = _upload(Desk(own.admin), text)

    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()


def test_a_file_of_tokens_is_none_of_the_enrolments(own: House) -> None:
    desk = Desk(own.admin)
    run = _upload(desk).headers["Location"].rstrip("/").rpartition("/")[2]

    assert desk.client.get(f"/admin/accounts/importrun/{run}/change/").status_code in {302, 404}
    sent = desk.client.post(f"/admin/accounts/importrun/{run}/confirm/", {"mode": "all"})
    assert sent.status_code == 404


def test_another_tenants_file_and_tokens_are_unknown(own: House) -> None:
    other = canary()
    page = _upload(Desk(other.admin)).headers["Location"]
    desk = Desk(own.admin)

    assert desk.client.get(page).status_code == 404
    assert desk.client.post(page, {"decision": "apply"}).status_code in {302, 404}
    assert _tokens(other) == {}


def test_a_token_is_handed_out_and_taken_back_and_its_owner_told(own: House) -> None:
    desk = Desk(own.admin)
    with tenant_context(own.tenant):
        owner = User.objects.get(user_id=own.person)
        row = give_token(None, token_of(owner), "GT-9")
    path = f"{TABLE}/{row.pk}/"

    given = desk.send(f"{path}assign/", person=own.person, reason="New phone")
    held = _tokens(own)["GT-9"].user
    taken = desk.send(f"{path}take-back/", reason="Left")

    assert is_saved(given)
    assert is_saved(taken)
    assert held == owner
    assert _tokens(own)["GT-9"].user is None
    with tenant_context(own.tenant):
        assert Message.objects.filter(kind="method_changed").count() == 2
    assert [event.reason for event in trail(own, "method.registered")] == ["New phone"]
    assert [event.reason for event in trail(own, "method.removed")] == ["Left"]
    assert desk.client.post(f"/admin/{path}discard/", {"reason": "Broken"}).status_code == 302
    assert _tokens(own) == {}


@pytest.mark.parametrize(
    ("role", "upload", "settings"),
    [
        ("global_administrator", 200, 200),
        ("authentication_administrator", 200, 403),
        ("authentication_policy_administrator", 200, 200),
        ("helpdesk_administrator", 403, 403),
        ("global_reader", 403, 403),
    ],
)
def test_who_may_fill_the_inventory_and_name_the_server(
    role: str, upload: int, settings: int, own: House
) -> None:
    client = colleague(own, role).client

    assert client.get(f"/admin/{TABLE}/upload/").status_code == upload
    assert client.get(f"/admin/{TABLE}/settings/").status_code == settings


def test_a_token_of_somebody_with_a_role_is_out_of_reach_of_lesser_ones(own: House) -> None:
    desk = colleague(own, "authentication_administrator")
    with tenant_context(own.tenant):
        admin = User.objects.get(user_id=own.admin)
        row = give_token(admin, token_of(admin), "GT-9")
        spare = give_token(None, token_of(admin), "GT-8")

    desk.post(f"{TABLE}/{row.pk}/take-back/", {"reason": "x"})
    desk.post(f"{TABLE}/{spare.pk}/assign/", {"reason": "x", "person": own.admin})

    assert _tokens(own)["GT-9"].user == admin
    assert _tokens(own)["GT-8"].user is None


def test_the_settings_are_saved_and_the_key_is_never_shown(own: House) -> None:
    desk = Desk(own.admin)
    path = f"{TABLE}/settings/"
    fields = {
        "approver": own.person,
        "validation_url": "https://keys.example/verify",
        "validation_client": CLIENT,
        "validation_key": KEY,
    }

    saved = desk.post(path, fields)
    again = desk.send(path)

    assert is_saved(saved)
    assert is_saved(again)
    assert KEY not in desk.read(path)
    with tenant_context(own.tenant):
        row = MethodSettings.objects.get()
        assert row.read_key().reveal() == KEY
    assert len(trail(own, "method_settings.changed")) == 1
    wrong = desk.post(path, {**fields, "validation_url": "https://10.0.0.1/"})
    assert "outside the private network" in wrong.content.decode()


def test_methods_are_enabled_and_registering_is_required_with_a_word_to_the_person(
    own: House,
) -> None:
    desk = Desk(own.admin)
    path = f"accounts/user/{own.rows['accounts/user']}/"
    with tenant_context(own.tenant):
        User.objects.filter(user_id=own.person).update(disabled_methods=["email"])
    assert "disabled after too many failures" in desk.read(f"{path}change/")

    desk.send(f"{path}enable-methods/", reason="Guessing is over")
    desk.send(f"{path}require-registration/", reason="New phone")
    desk.send(f"{path}end-sessions/", reason="Lost laptop")

    with tenant_context(own.tenant):
        person = User.objects.get(user_id=own.person)
        kinds = set(Message.objects.values_list("kind", flat=True))
    assert person.disabled_methods == []
    assert person.must_register_since is not None
    assert {"methods_enabled", "registration_required", "sessions_ended"} <= kinds
    assert [event.reason for event in trail(own, "registration.required")] == ["New phone"]


def test_what_is_registered_is_listed_and_removed_by_its_kind(own: House) -> None:
    desk = Desk(own.admin)
    path = f"accounts/user/{own.rows['accounts/user']}/remove-method/"
    with tenant_context(own.tenant):
        owner = User.objects.get(user_id=own.person)
        give_token(owner, token_of(owner), "GT-9")
    things = re.findall(r'name="thing" value="([^"]+)"', desk.read(path))

    for thing in things:
        assert is_saved(desk.post(path, {"thing": thing, "reason": "Lost"})), thing
    gone = desk.post(path, {"thing": things[0], "reason": "Lost"})

    assert {thing.partition(":")[0] for thing in things} == {
        "contact",
        "device",
        "answers",
        "credential",
    }
    assert gone.status_code == 200
    assert len(trail(own, "method.removed")) == len(things)
    assert _tokens(own)["GT-9"].user is None
