"""People in a file: what is written for them, what changes, what is kept."""

import base64
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.hashers import check_password
from django.utils import timezone

from accounts.answers import normalise_answer
from accounts.config_checks import decoded_seed
from accounts.identifiers import canonical_mailbox
from accounts.models import (
    AuthenticatorDevice,
    ContactPoint,
    GroupMember,
    QuestionAnswer,
    User,
    contact_lookup,
)
from tenants.context import tenant_context
from tenants.keys import installation_mac
from tenants.lookup import tenants_of_guest
from tests.tenants.config.files import EXAMPLE, FABRIKAM, applied, apply, changed

ALICE = "alice@contoso.example"
BOB = "bob_fabrikam.example#ext#@contoso.example"
SEED = base64.b32decode("JBSWY3DPEHPK3PXP")


@pytest.fixture
def contoso() -> UUID:
    applied(FABRIKAM)
    return applied(EXAMPLE)


def person(user_id: str) -> User:
    found: User = User.objects.get(user_id=user_id)
    return found


def contact(user_id: str, kind: str) -> ContactPoint:
    found: ContactPoint = ContactPoint.objects.get(user=person(user_id), kind=kind)
    return found


@pytest.mark.django_db
def test_a_person_gets_everything_the_file_says(contoso: UUID) -> None:
    with tenant_context(contoso):
        alice = person(ALICE)
        assert alice.check_password("Tall-Ships 4 Alice")
        assert (alice.display_name, alice.language, alice.kind) == ("Alice Adams", "en", "member")
        assert alice.manager is not None
        assert alice.manager.user_id == "carol@contoso.example"
        assert alice.licence is not None
        assert alice.password_changed_at is not None
        values = {row.kind: row.read().reveal() for row in alice.contacts.all()}
        assert values == {
            "primary_email": "alice@contoso.example",
            "alternate_email": "alice@example.net",
            "mobile_phone": "+1 4255550101",
            "office_phone": "+1 4255550100x123",
        }
        office = contact(ALICE, "office_phone")
        assert bytes(office.lookup) == contact_lookup("+14255550100")
        device = AuthenticatorDevice.objects.get()
        assert (device.name, device.confirmed) == ("Authenticator app", True)
        assert device.read_seed().reveal() == SEED
        answer = QuestionAnswer.objects.get()
        assert answer.question == "first_pet"
        assert check_password(normalise_answer("snowball THE third"), answer.answer_hash)
        assert [row.user.user_id for row in GroupMember.objects.all()] == [ALICE]


@pytest.mark.django_db
def test_a_person_without_a_password_has_none_that_works(contoso: UUID) -> None:
    with tenant_context(contoso):
        carol = person("carol@contoso.example")

        assert not carol.has_usable_password()
        assert (carol.roles, carol.is_staff) == (["helpdesk_administrator"], True)


@pytest.mark.django_db
def test_a_guest_is_found_by_the_registered_email(contoso: UUID) -> None:
    lookup = installation_mac("guest", canonical_mailbox("Bob@Fabrikam.example"))
    assert tenants_of_guest(lookup) == [contoso]

    with tenant_context(contoso):
        bob = person(BOB)
        assert (bob.kind, bob.origin, bob.home) == ("guest", "partner", "fabrikam")
        assert contact(BOB, "alternate_email").read().reveal() == "bob@fabrikam.example"
    outcome = apply(EXAMPLE.replace("bob@fabrikam.example", "bobby@fabrikam.example"))
    assert changed(outcome) == [f"~ guest {BOB}: email: (changed)"]
    assert tenants_of_guest(lookup) == []


CHANGES: list[tuple[str, str, list[str]]] = [
    ("enabled = true", "enabled = false", ["enabled: true → false"]),
    ("licensed = true", "licensed = false", ["licensed: true → false"]),
    ("roles = []", 'roles = ["global_reader"]', ["roles: nothing → global_reader"]),
    ('surname = "Adams"', "", ["surname: Adams → nothing"]),
    ('manager = "carol@contoso.example"', "", ["manager: carol@contoso.example → nothing"]),
    ("Tall-Ships 4 Alice", "Small-Ships 4 Alice", ["password: (secret, changed)"]),
    ("+1 4255550101", "+1 4255550102", ["mobile_phone: (changed)"]),
    ("+1 4255550100x123", "+1 4255550100x124", ["office_phone: (changed)"]),
    ("alice@example.net", "", ["alternate_email: (removed)"]),
    ("JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQ", ["totp_secret: (secret, changed)"]),
    ("Snowball the Third", "Snowball the Fourth", ["questions: (secret, changed)"]),
    ('"first_pet"', '"first_school"', ["questions: (secret, changed)"]),
    ("Snowball the Third", "  SNOWBALL  the third ", []),
    ("JBSWY3DPEHPK3PXP", "jbsw y3dp ehpk 3pxp", []),
    ('mobile_phone = "+1 4255550101"', "", []),
    ('totp_secret = "JBSWY3DPEHPK3PXP"', "", []),
    ('password = "Tall-Ships 4 Alice"', "", []),
]


@pytest.mark.parametrize(("before", "after", "lines"), CHANGES)
@pytest.mark.django_db
def test_each_difference_is_told_and_written_once(
    contoso: UUID, before: str, after: str, lines: list[str]
) -> None:
    assert before in EXAMPLE
    text = EXAMPLE.replace(before, after)

    assert changed(apply(text)) == [f"~ user {ALICE}: {line}" for line in lines]
    assert changed(apply(text)) == []


@pytest.mark.django_db
def test_a_changed_contact_has_a_new_version_and_is_not_confirmed(contoso: UUID) -> None:
    with tenant_context(contoso):
        ContactPoint.objects.update(confirmed_at=timezone.now())
    apply(EXAMPLE.replace("+1 4255550101", "+1 4255550102"))

    with tenant_context(contoso):
        mobile, office = contact(ALICE, "mobile_phone"), contact(ALICE, "office_phone")
        assert (mobile.version, mobile.confirmed_at) == (2, None)
        assert mobile.read().reveal() == "+1 4255550102"
        assert bytes(mobile.lookup) == contact_lookup("+14255550102")
        assert (office.version, office.confirmed_at is None) == (1, False)


@pytest.mark.django_db
def test_a_changed_password_ends_sessions_and_a_changed_seed_starts_afresh(contoso: UUID) -> None:
    with tenant_context(contoso):
        AuthenticatorDevice.objects.update(last_step=55)
    apply(EXAMPLE.replace("Tall", "Small").replace("JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQ"))

    with tenant_context(contoso):
        assert person(ALICE).check_password("Small-Ships 4 Alice")
        assert person(ALICE).session_epoch == 1
        device = AuthenticatorDevice.objects.get()
        assert (device.version, device.last_step) == (2, -1)


@pytest.mark.django_db
def test_a_second_app_that_a_person_registered_stays(contoso: UUID) -> None:
    with tenant_context(contoso):
        own = AuthenticatorDevice(user=person(ALICE), name="My phone", confirmed=True)
        own.write_seed(b"twelve bytes")
        own.save()
    apply(EXAMPLE.replace("JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQ"))

    with tenant_context(contoso):
        seeds = [device.read_seed().reveal() for device in AuthenticatorDevice.objects.all()]
    assert sorted(seeds) == [b"1234567890", b"twelve bytes"]


@pytest.mark.django_db
def test_people_and_groups_that_the_file_does_not_name_are_left_alone(contoso: UUID) -> None:
    text = EXAMPLE[: EXAMPLE.index("[[groups]]")]

    assert changed(apply(text)) == []
    with tenant_context(contoso):
        assert User.objects.count() == 3
        assert GroupMember.objects.count() == 1


@pytest.mark.django_db
def test_members_are_what_the_file_says_and_may_stand_already(contoso: UUID) -> None:
    text = EXAMPLE[: EXAMPLE.index("[[users]]")]
    text = text.replace(f'["{ALICE}"]', '["Carol@contoso.example"]')

    outcome = apply(text)

    assert changed(outcome) == [
        "~ group sspr-pilot: members: +carol@contoso.example, -alice@contoso.example"
    ]
    with tenant_context(contoso):
        assert GroupMember.objects.get().user.user_id == "carol@contoso.example"


@pytest.mark.django_db
def test_a_hash_is_taken_as_it_is(contoso: UUID) -> None:
    with tenant_context(contoso):
        stored = person(ALICE).password
    text = EXAMPLE.replace('password = "Tall-Ships 4 Alice"', f'password_hash = "{stored}"')
    moved = EXAMPLE.replace('display_name = "Carol Clark"', f'password_hash = "{stored}"')

    assert changed(apply(text)) == []
    assert "~ user carol@contoso.example: password_hash: (secret, changed)" in changed(apply(moved))
    with tenant_context(contoso):
        assert person("carol@contoso.example").check_password("Tall-Ships 4 Alice")


@pytest.mark.django_db
def test_under_nist_rules_a_password_is_hashed_in_the_form_that_is_compared(contoso: UUID) -> None:
    text = EXAMPLE.replace('rules = "entra"', 'rules = "nist"').replace("Tall-", "ﬁve ")
    apply(text)

    with tenant_context(contoso):
        assert person(ALICE).check_password("five Ships 4 Alice")
    assert changed(apply(text)) == []


@pytest.mark.parametrize(
    ("before", "after", "key", "words"),
    [
        ("alice@example.net", "alice@contoso.example", "users[0].alternate_email", "own domains"),
        ('source = "cloud"', 'source = "federated"', "users[0].password", "directory"),
        ('email = "bob@fabrikam', 'email = "bob@contoso', "guests[0].email", "own domains"),
    ],
)
@pytest.mark.django_db
def test_what_will_not_help_a_person_is_warned_about(
    contoso: UUID, before: str, after: str, key: str, words: str
) -> None:
    assert before in EXAMPLE
    warned = {found.key: found.message for found in apply(EXAMPLE.replace(before, after)).warnings}

    assert words in warned[key]
    assert key not in {found.key for found in apply(EXAMPLE).warnings}


@pytest.mark.django_db
def test_two_tenants_keep_people_of_the_same_name_apart(contoso: UUID) -> None:
    text = EXAMPLE.replace("contoso", "acme").replace("Adams", "Acme")
    acme = applied(text.replace('home = "fabrikam"', 'home = "contoso"'))

    assert changed(apply(EXAMPLE)) == []
    with tenant_context(acme):
        assert {user.surname for user in User.objects.all()} == {"Acme", ""}
        assert User.objects.count() == 3
    with tenant_context(contoso):
        assert person(ALICE).surname == "Adams"


@pytest.mark.parametrize("text", ["JBSWY3DPEHPK3PXP", "jbsw-y3dp ehpk3pxp", "JBSWY3DPEHPK3PXP===="])
def test_a_seed_may_be_written_as_apps_show_it(text: str) -> None:
    assert decoded_seed(text) == SEED


@pytest.mark.parametrize("text", ["", "JBSWY3DP", "0000000000000000", "A" * 112, "ä" * 16])
def test_a_seed_of_the_wrong_size_or_alphabet_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"too short|base 32"):
        decoded_seed(text)


@pytest.mark.django_db
def test_thousands_of_people_need_a_few_dozen_queries(
    django_assert_max_num_queries: Any,
) -> None:
    head = '[tenant]\nslug = "big"\nname = "Big"\ndomains = [{ name = "big.example" }]\n'
    people = [f"user{number}@big.example" for number in range(2000)]
    rows = "".join(f'[[users]]\nid = "{who}"\nmobile_phone = "+1 4255550101"\n' for who in people)
    text = f'{head}[[groups]]\nname = "all"\nmembers = {people}\n{rows}'

    with django_assert_max_num_queries(60):
        assert apply(text).applied
    with django_assert_max_num_queries(40):
        assert changed(apply(text)) == []
