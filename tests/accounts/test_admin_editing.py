"""People edited on the administration site: each intent with its rule, its notice and its line in
the trail, and who may."""

import html

import pytest

from accounts.models import ContactPoint, GroupMember, Session, User
from accounts.people import find_user, guest_lookup
from notifications.models import Message
from notifications.services import get_recipient
from tenants.context import tenant_context
from tenants.models import Group
from tests.tenants.admin.cast import ALTERNATE, MOBILE, NOW, House, canary, contoso, make_person
from tests.tenants.admin.desk import Desk, colleague, is_saved, row_page, trail
from tests.tenants.admin.test_policy_editor import errors_at

pytestmark = pytest.mark.django_db
TABLE = "accounts/user"
REASON = "asked by phone, identity checked"


@pytest.fixture
def own() -> House:
    return contoso()


@pytest.fixture
def desk(own: House) -> Desk:
    return Desk(own.admin)


def person_of(house: House, user_id: str = "") -> User:
    with tenant_context(house.tenant):
        found: User = User.objects.get(user_id=user_id or house.person)
        return found


def page_of(house: House, user_id: str = "", more: str = "change/") -> str:
    return f"{TABLE}/{person_of(house, user_id).pk}/{more}"


def contact_of(house: House, kind: str) -> ContactPoint:
    with tenant_context(house.tenant):
        found: ContactPoint = ContactPoint.objects.get(user__user_id=house.person, kind=kind)
        return found


def told(house: House) -> list[str]:
    """Whom a message about changed contacts goes to."""
    with tenant_context(house.tenant):
        rows = Message.objects.filter(kind="contact_changed")
        return sorted(get_recipient(row).reveal() for row in rows)


def test_a_person_is_added_without_a_password_and_with_a_licence(own: House, desk: Desk) -> None:
    fields = {"display_name": "Nora Novak", "manager": own.person, "language": "de"}

    refused = [
        desk.send(f"{TABLE}/add/", user_id=user_id, **fields)
        for user_id in ("nora", "nora@elsewhere.example", own.person.upper())
    ]
    answer = desk.send(f"{TABLE}/add/", user_id=f"Nora@{own.domain}", licensed="on", **fields)

    said = [errors_at(each.content.decode(), "user_id") for each in refused]
    assert "Write name@domain" in said[0]
    assert "none of the organisation's domains" in said[1]
    assert "a person with this user ID already" in said[2]
    nora = person_of(own, f"nora@{own.domain}")
    assert answer.headers["Location"] == f"/admin/{page_of(own, nora.user_id)}"
    assert (nora.display_name, nora.language, nora.manager_id) == (
        "Nora Novak",
        "de",
        own.rows["accounts/user"],
    )
    assert not nora.has_usable_password()
    assert nora.licence_id == own.rows["tenants/subscription"]
    assert [len(trail(own, kind)) for kind in ("user.created", "user.licence_assigned")] == [1, 1]


def test_no_page_of_a_person_has_a_field_for_a_password(own: House, desk: Desk) -> None:
    for page in (f"{TABLE}/add/", page_of(own), page_of(own, more="contacts/")):
        assert 'type="password"' not in desk.read(page)


def test_a_profile_is_changed_and_the_trail_names_the_fields_alone(own: House, desk: Desk) -> None:
    answer = desk.send(page_of(own), surname="Secretname", manager=own.admin)

    assert is_saved(answer)
    assert person_of(own).surname == "Secretname"
    [event] = trail(own, "user.changed")
    assert event.data == {"fields": ["surname", "manager"]}
    assert (event.target_label, event.actor_label) == (own.person, own.admin)
    assert "Secretname" not in str(event.data)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("manager", "nobody@contoso.example", "nobody with this user ID"),
        ("manager", "bob@contoso.example", "their own manager"),
        ("language", "klingon", "Use a language the product speaks"),
        ("surname", "a\tb", "control characters"),
    ],
)
def test_what_a_profile_can_not_be_is_told_at_its_field(
    field: str, value: str, words: str, own: House, desk: Desk
) -> None:
    answer = desk.send(page_of(own), display_name="Changed", **{field: value})

    assert words in errors_at(answer.content.decode(), field)
    assert person_of(own).display_name == "A Bob"
    assert trail(own, "user.changed") == []


def test_somebody_of_another_tenant_is_no_manager_here(own: House, desk: Desk) -> None:
    other = canary()

    for value in (other.person, str(other.rows["accounts/user"])):
        answer = desk.send(page_of(own), manager=value)
        assert "nobody with this user ID" in errors_at(answer.content.decode(), "manager")


def test_a_typed_contact_counts_as_unconfirmed_and_the_person_is_told(
    own: House, desk: Desk
) -> None:
    page = page_of(own, more="contacts/")

    answer = desk.send(
        page, office_phone="+1 4255550100x12", primary_email=f"bob@mail.{own.domain}"
    )

    assert is_saved(answer)
    office = contact_of(own, "office_phone")
    with tenant_context(own.tenant):
        assert office.read().reveal() == "+1 4255550100x12"
    assert office.confirmed_at is None
    assert told(own) == [ALTERNATE]
    [event] = trail(own, "user.contacts_changed")
    assert event.data == {"fields": ["office_phone", "primary_email"], "replaced": [], "told": 1}
    assert "4255550100" not in str(event.data)


def test_a_confirmed_contact_is_replaced_on_purpose_only(own: House, desk: Desk) -> None:
    page = page_of(own, more="contacts/")
    before = contact_of(own, "alternate_email")

    silent = desk.send(page, alternate_email="new@post.example")
    kept = contact_of(own, "alternate_email")
    ticked = desk.send(page, alternate_email="new@post.example", replace_confirmed="on")

    assert "was confirmed by the person" in errors_at(silent.content.decode(), "alternate_email")
    assert (kept.version, bytes(kept.sealed)) == (before.version, bytes(before.sealed))
    assert is_saved(ticked)
    after = contact_of(own, "alternate_email")
    assert (after.version, after.confirmed_at) == (before.version + 1, None)
    assert told(own) == [ALTERNATE]
    [event] = trail(own, "user.contacts_changed")
    assert event.data["replaced"] == ["alternate_email"]


def test_a_contact_is_removed_with_the_same_care(own: House, desk: Desk) -> None:
    page = page_of(own, more="contacts/")

    silent = desk.send(page, remove=["mobile_phone"])
    assert contact_of(own, "mobile_phone").confirmed_at == NOW
    ticked = desk.send(page, remove=["mobile_phone"], replace_confirmed="on")

    assert silent.status_code == 200
    assert is_saved(ticked)
    with tenant_context(own.tenant):
        assert not ContactPoint.objects.filter(kind="mobile_phone").exists()
    assert told(own) == [ALTERNATE]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("mobile_phone", "4255550101", "country code"),
        ("mobile_phone", "+1 4255550101x1", "no extension"),
        ("alternate_email", "nobody", "Write an address like"),
    ],
)
def test_what_is_no_contact_is_told_at_its_field(
    field: str, value: str, words: str, own: House, desk: Desk
) -> None:
    answer = desk.send(page_of(own, more="contacts/"), replace_confirmed="on", **{field: value})

    assert words in errors_at(answer.content.decode(), field)
    assert told(own) == []


def test_what_is_on_file_is_shown_masked_and_never_filled_in(own: House, desk: Desk) -> None:
    text = desk.read(page_of(own, more="contacts/"))

    assert "b••••@p••••.example, confirmed" in text
    assert ALTERNATE not in text
    assert MOBILE not in text


def test_a_mailbox_in_the_own_domain_is_allowed_with_a_warning(own: House, desk: Desk) -> None:
    page = page_of(own, more="contacts/")
    fields = desk.filled(page, alternate_email=f"b@{own.domain}", replace_confirmed="on")

    answer = desk.client.post(f"/admin/{page}", fields, follow=True)

    assert "own domains: it can't be used as proof" in html.unescape(answer.content.decode())


def test_disabling_ends_the_sessions_and_enabling_lets_in_again(own: House, desk: Desk) -> None:
    helper = colleague(own, "helpdesk_administrator")
    name = f"helpdesk-administrator@{own.domain}"

    without_reason = desk.send(page_of(own, name, "disable/"), reason="")
    assert helper.client.get("/admin/").status_code == 200
    disabled = desk.send(page_of(own, name, "disable/"), reason=REASON)

    assert "required" in errors_at(without_reason.content.decode(), "reason")
    assert is_saved(disabled)
    assert helper.client.get("/admin/").status_code == 302
    assert desk.client.get(f"/admin/{page_of(own, name, 'disable/')}").status_code == 404
    assert is_saved(desk.send(page_of(own, name, "enable/"), reason=REASON))
    assert person_of(own, name).is_active
    [off], [on] = trail(own, "user.disabled"), trail(own, "user.enabled")
    assert (off.reason, on.reason) == (REASON, REASON)
    assert off.data == {"sessions_ended": 1}


def test_a_stopped_account_is_let_in_again_with_a_reason(own: House, desk: Desk) -> None:
    with tenant_context(own.tenant):
        User.objects.filter(user_id=own.person).update(frozen_at=NOW)

    answer = desk.send(page_of(own, more="thaw/"), reason=REASON)

    assert is_saved(answer)
    assert person_of(own).frozen_at is None
    [event] = trail(own, "account.thawed")
    assert (event.reason, event.target_label) == (REASON, own.person)


def test_sessions_are_ended(own: House, desk: Desk) -> None:
    helper = colleague(own, "helpdesk_administrator")
    name = f"helpdesk-administrator@{own.domain}"

    assert is_saved(desk.send(page_of(own, name, "end-sessions/"), reason=REASON))

    assert helper.client.get("/admin/").status_code == 302
    with tenant_context(own.tenant):
        assert [row.user.user_id for row in Session.objects.select_related("user")] == [own.admin]


def test_another_password_is_required_before_anything_else(own: House, desk: Desk) -> None:
    helper = colleague(own, "helpdesk_administrator")
    name = f"helpdesk-administrator@{own.domain}"
    page = page_of(own, name, "require-change/")

    assert is_saved(desk.send(page, reason=REASON))

    assert person_of(own, name).must_change_password
    assert helper.client.get("/admin/").status_code == 302
    assert desk.client.get(f"/admin/{page}").status_code == 404
    [event] = trail(own, "user.change_required")
    assert (event.reason, event.target_label) == (REASON, name)


def test_whose_password_is_kept_elsewhere_is_not_asked_for_another(own: House, desk: Desk) -> None:
    with tenant_context(own.tenant):
        User.objects.filter(user_id=own.person).update(source="pass_through")

    assert desk.client.get(f"/admin/{page_of(own, more='require-change/')}").status_code == 404


def test_roles_are_given_and_taken(own: House, desk: Desk) -> None:
    page = page_of(own, more="roles/")

    assert is_saved(desk.send(page, roles=["user_administrator", "global_reader"]))
    assert is_saved(desk.send(page, roles=["global_reader"]))
    stranger = desk.send(page, roles=["emperor"])

    assert "not one of the available choices" in errors_at(stranger.content.decode(), "roles")
    assert person_of(own).roles == ["global_reader"]
    given, taken = trail(own, "user.roles_changed")
    assert given.data == {"added": ["global_reader", "user_administrator"], "removed": []}
    assert taken.data == {"added": [], "removed": ["user_administrator"]}


def test_nobody_edits_their_own_roles_or_disables_themselves(own: House, desk: Desk) -> None:
    roles = desk.send(page_of(own, own.admin, "roles/"), roles=[])
    disabled = desk.send(page_of(own, own.admin, "disable/"), reason=REASON)

    assert "to yourself" in errors_at(roles.content.decode(), "roles")
    assert "to yourself" in html.unescape(disabled.content.decode())
    admin = person_of(own, own.admin)
    assert (admin.roles, admin.is_active) == (["global_administrator"], True)


def test_the_last_global_administrator_stays_one(own: House, desk: Desk) -> None:
    keeper = colleague(own, "privileged_role_administrator")
    page = page_of(own, own.admin, "roles/")

    refused = keeper.send(page, roles=[])
    assert "last global administrator" in errors_at(refused.content.decode(), "roles")
    with tenant_context(own.tenant):
        make_person(f"second@{own.domain}", "Second", roles=["global_administrator"])
    accepted = keeper.send(page, roles=[])

    assert is_saved(accepted)
    assert person_of(own, own.admin).roles == []


def test_a_disabled_global_administrator_does_not_count_as_another_one(own: House) -> None:
    keeper = colleague(own, "privileged_role_administrator")
    with tenant_context(own.tenant):
        second = make_person(f"second@{own.domain}", "Second", roles=["global_administrator"])
        User.objects.filter(pk=second.pk).update(is_active=False)

    refused = keeper.send(page_of(own, own.admin, "roles/"), roles=[])

    assert "last global administrator" in errors_at(refused.content.decode(), "roles")


def test_groups_of_a_person_are_left_and_joined(own: House, desk: Desk) -> None:
    other = canary()
    with tenant_context(own.tenant):
        pilot = Group.objects.create(name="pilot")
    page = page_of(own, more="groups/")

    foreign = desk.send(page, join=str(other.rows["tenants/group"]))
    stolen = desk.send(page, stay=[str(other.rows["tenants/group"])])
    answer = desk.send(page, stay=None, join="pilot")

    assert "no group of this name" in errors_at(foreign.content.decode(), "join")
    assert "not one of the available choices" in errors_at(stolen.content.decode(), "stay")
    assert is_saved(answer)
    with tenant_context(own.tenant):
        groups = GroupMember.objects.filter(user__user_id=own.person)
        assert [row.group_id for row in groups] == [pilot.pk]
    assert [event.data for event in trail(own, "group.member_removed")] == [{"group": "A staff"}]
    assert [event.data for event in trail(own, "group.member_added")] == [{"group": "pilot"}]


def test_licences_are_assigned_one_by_one_and_in_bulk(own: House, desk: Desk) -> None:
    people = [own.person, own.admin]
    page = f"tenants/subscription/{own.rows['tenants/subscription']}/assign/"
    action = {"action": "assign_licences", "_selected_action": [own.rows["accounts/user"]]}

    assert is_saved(desk.send(page_of(own, more="assign-licence/")))
    assert is_saved(desk.send(page, what="remove", people="\n".join(people)))
    assert is_saved(desk.post(f"{TABLE}/", action))
    unknown = desk.send(page, people=f"{own.person}\nnobody@{own.domain}")
    assert is_saved(desk.send(page, group="A staff", people=own.admin))

    assert "See line 2." in errors_at(unknown.content.decode(), "people")
    assert [event.target_label for event in trail(own, "user.licence_assigned")] == [
        own.person,
        own.person,
        own.admin,
    ]
    assert len(trail(own, "user.licence_removed")) == 1
    counted = desk.read(row_page(own, "tenants/subscription"))
    assert "Who has a licence" in counted


def test_the_list_of_guests_says_which_policy_decides(own: House, desk: Desk) -> None:
    gus = make_guest(own)

    text = html.unescape(desk.read(f"{TABLE}/?kind=guest"))

    assert gus.user_id in text
    assert own.person not in text
    assert "The policy of the home organisation decides" in text
    assert "fabrikam" in text


def make_guest(house: House) -> User:
    with tenant_context(house.tenant):
        gus = make_person(f"gus_fabrikam.example#ext#@{house.domain}", "Gus Guest")
        User.objects.filter(pk=gus.pk).update(
            kind="guest",
            origin="partner",
            home="fabrikam",
            guest_lookup=guest_lookup("gus@fabrikam.example"),
        )
    return gus


def test_a_guest_gets_another_registered_mail_and_is_found_by_it(own: House, desk: Desk) -> None:
    gus = make_guest(own)

    assert is_saved(
        desk.send(page_of(own, gus.user_id, "contacts/"), alternate_email="g@new.example")
    )

    with tenant_context(own.tenant):
        found = find_user("g@new.example")
        assert found is not None
        assert found.pk == gus.pk
        assert find_user("gus@fabrikam.example") is None


def test_a_guest_is_removed_and_a_member_is_not(own: House, desk: Desk) -> None:
    gus = make_guest(own)
    page = page_of(own, gus.user_id, "remove/")

    answer = desk.send(page, reason=REASON)

    assert is_saved(answer)
    with tenant_context(own.tenant):
        assert not User.objects.filter(pk=gus.pk).exists()
    [event] = trail(own, "guest.removed")
    assert (event.target_label, event.reason) == (gus.user_id, REASON)
    assert desk.client.get(f"/admin/{page_of(own, more='remove/')}").status_code == 404
