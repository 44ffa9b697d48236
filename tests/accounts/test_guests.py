"""How people from outside come in: invited, by themselves, or with a home of their own."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.guests import (
    INVITATION_LIFETIME,
    SIGN_UP_LIFETIME,
    Accepted,
    SignUp,
    accept,
    find_invited,
    home_of,
    invite,
    sign_up,
)
from accounts.models import ContactPoint, Invitation, User
from accounts.people import find_user
from notifications.models import Message
from notifications.sealing import opened
from tenants.audit import Party
from tenants.invalid import Invalid
from tenants.models import AuditEvent
from tenants.secret import Secret
from tests.cast import NEW_PASSWORD, Acme, Beta, Organisation

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ADDRESS = "ines@outside.example"
CAROL = Party("administrator", None, "carol@acme.example")


def _invite(acme: Acme, email: str = ADDRESS, *, personal: bool = False) -> str:
    with acme.inside():
        invite(email, "Ines", personal=personal, by=CAROL, actor=acme.carol, now=NOW)
    return _token(acme)


def _facts(organisation: Organisation, kind: str) -> Mapping[str, Any]:
    with organisation.inside():
        message = Message.objects.get(kind=kind)
        facts = opened(message, "context")
        message.delete()
        return facts


def _token(organisation: Organisation, kind: str = "guest_invited") -> str:
    url = str(_facts(organisation, kind)["accept_url"])
    return url.rstrip("/").rpartition("/")[2]


def _accept(token: str, password: str = NEW_PASSWORD, now: datetime = NOW) -> Accepted:
    return accept(token, "Ines Inge", Secret(password), address="198.51.100.7", now=now)


def _sign_up(organisation: Organisation, email: str = ADDRESS, now: datetime = NOW) -> Any:
    return sign_up(organisation.id, SignUp(email, "198.51.100.7", "en"), now=now)


def _open_door(organisation: Organisation) -> None:
    with organisation.inside():
        organisation.tenant.guest_sign_up = True
        organisation.tenant.save(update_fields=["guest_sign_up"])


def test_an_invited_guest_joins_with_a_password_and_the_address_the_link_went_to(
    acme: Acme,
) -> None:
    token = _invite(acme)

    shown = find_invited(token, now=NOW)
    accepted = _accept(token)

    assert shown is not None
    assert (shown.tenant.pk, shown.home) == (acme.id, "")
    assert accepted == Accepted("ok", "ines_outside.example#ext#@acme.example")
    with acme.inside():
        guest = find_user(ADDRESS)
        assert guest is not None
        assert (guest.kind, guest.origin, guest.display_name) == (
            "guest",
            "invitation",
            "Ines Inge",
        )
        assert guest.check_password(NEW_PASSWORD)
        contact = ContactPoint.objects.get(user=guest)
        assert (contact.kind, contact.confirmed_at) == ("alternate_email", NOW)


def test_a_link_is_good_for_one_time_and_for_a_week(acme: Acme) -> None:
    used, late = _invite(acme), _invite(acme, "late@outside.example")
    assert _accept(used).kind == "ok"

    assert _accept(used).kind == "over"
    assert find_invited(late, now=NOW + INVITATION_LIFETIME - timedelta(seconds=1)) is not None
    assert _accept(late, now=NOW + INVITATION_LIFETIME).kind == "over"
    assert find_invited(late, now=NOW + INVITATION_LIFETIME) is None


@pytest.mark.parametrize("token", ["", "x", "0" * 32 + ".x", "not-hex.abc", "a" * 500])
def test_what_is_no_token_leads_nowhere(acme: Acme, token: str) -> None:
    assert find_invited(token, now=NOW) is None
    assert _accept(token).kind == "over"


def test_a_token_under_another_tenants_name_leads_nowhere(acme: Acme, beta: Beta) -> None:
    token = f"{beta.id.hex}.{_invite(acme).partition('.')[2]}"

    assert find_invited(token, now=NOW) is None
    assert _accept(token).kind == "over"


def test_a_weak_password_keeps_the_link_open(acme: Acme) -> None:
    token = _invite(acme)

    weak = _accept(token, "short")

    assert weak.kind == "weak"
    assert weak.violations
    with acme.inside():
        assert find_user(ADDRESS) is None
    assert _accept(token).kind == "ok"


def test_whose_address_belongs_to_an_organisation_here_has_a_home_and_no_password(
    acme: Acme, beta: Beta
) -> None:
    """The inviting organisation can neither reset nor weaken anything of the home's."""
    with beta.inside():
        before = User.objects.get(pk=beta.alice.pk).password
    token = _invite(acme, f"alice@{beta.domain}")

    shown = find_invited(token, now=NOW)
    accepted = _accept(token)

    assert shown is not None
    assert (shown.home, home_of(f"somebody@{beta.domain}")) == ("beta", "beta")
    assert accepted.kind == "ok"
    with acme.inside():
        guest = find_user(f"alice@{beta.domain}")
        assert guest is not None
        assert (guest.origin, guest.home) == ("partner", "beta")
        assert not guest.has_usable_password()
    with beta.inside():
        assert User.objects.get(pk=beta.alice.pk).password == before


def test_a_personal_account_gets_no_password_here(acme: Acme) -> None:
    assert _accept(_invite(acme, personal=True)).kind == "ok"

    with acme.inside():
        guest = find_user(ADDRESS)
        assert guest is not None
        assert (guest.origin, guest.has_usable_password()) == ("personal", False)


@pytest.mark.parametrize(
    "email", ["", "nobody", "x@", "carol@acme.example", "iris@example.org", "a\x00@example.org"]
)
def test_who_can_not_be_invited_is_told_at_the_field_and_nothing_is_sent(
    acme: Acme, email: str
) -> None:
    with acme.inside():
        with pytest.raises(Invalid) as refused:
            invite(email, "", personal=False, by=CAROL, actor=None, now=NOW)
        assert [problem.field for problem in refused.value.problems] == ["email"]
        assert not Message.objects.exists()
        assert not Invitation.objects.exists()


def test_a_user_id_that_is_taken_gets_a_number(acme: Acme) -> None:
    assert _accept(_invite(acme, "in.es@outside.example")).user_id.startswith("in.es_outside")
    with acme.inside():
        User.objects.create(user_id="ines_outside.example#ext#@acme.example", password="!")

    assert _accept(_invite(acme)).user_id == "ines_outside.example1#ext#@acme.example"


def test_who_signs_up_gets_a_link_for_an_hour_and_an_account_of_that_origin(acme: Acme) -> None:
    _open_door(acme)

    assert _sign_up(acme) is None
    token = _token(acme, "guest_sign_up")

    assert find_invited(token, now=NOW + SIGN_UP_LIFETIME) is None
    assert _accept(token).kind == "ok"
    with acme.inside():
        guest = find_user(ADDRESS)
        assert guest is not None
        assert guest.origin == "self_service_sign_up"


def test_known_unknown_and_refused_addresses_cost_the_same_and_only_the_mailbox_learns_which(
    acme: Acme, django_assert_max_num_queries: Any
) -> None:
    _open_door(acme)
    told: dict[str, tuple[str, str]] = {}
    for email in (ADDRESS, "iris@example.org", "eve@acme.example"):
        assert _sign_up(acme, email) is None
        with acme.inside():
            message = Message.objects.order_by("-created_at", "-id").first()
            assert message is not None
            told[email] = (message.kind, message.channel)
            assert Invitation.objects.count() == len(told)
            message.delete()

    assert told == {
        ADDRESS: ("guest_sign_up", "email"),
        "iris@example.org": ("guest_known", "email"),
        "eve@acme.example": ("guest_sign_up", "none"),
    }


def test_where_the_door_is_closed_nothing_is_sent(acme: Acme) -> None:
    assert _sign_up(acme) is None

    with acme.inside():
        assert Message.objects.get().channel == "none"
        assert Invitation.objects.get().used_at == NOW


def test_one_network_address_asks_twenty_times_an_hour_and_a_mailbox_gets_ten(acme: Acme) -> None:
    _open_door(acme)

    answers = [_sign_up(acme) for _ in range(21)]

    assert answers[:20] == [None] * 20
    assert answers[20] is not None
    with acme.inside():
        channels = list(Message.objects.values_list("channel", flat=True))
    assert (channels.count("email"), channels.count("none")) == (10, 10)


def test_the_trail_tells_of_inviting_and_joining_without_the_address(acme: Acme) -> None:
    _accept(_invite(acme))

    with acme.inside():
        events = list(AuditEvent.objects.filter(type__startswith="guest."))
        assert {event.type for event in events} == {"guest.invited", "guest.joined"}
        assert not any("ines@" in str(event.data) for event in events)
