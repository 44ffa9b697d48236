"""Guests: at the organisation's host, on the shared host, and partners whose home decides."""

from uuid import UUID

from resets.models import Flow
from tests.cast import (
    CANARY,
    NEW_PASSWORD,
    Acme,
    Beta,
    give_app,
    give_email,
    make_guest,
    make_person,
)
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Visitor, trail
from tests.resets.walks import newest_code, pass_app, password_is, set_policy, set_user

IRIS = "iris@example.org"


def test_an_invited_guest_resets_with_the_registered_email(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_policy(acme, methods=["mobile_phone", "app_code"], methods_required=1)

    visitor.start(IRIS)
    if "method" in visitor.shown.form.choices:
        visitor.fill(method="email", contact=IRIS)
    else:
        visitor.fill(contact=IRIS)
    visitor.fill(code=newest_code(post))
    visitor.fill(new_password=NEW_PASSWORD)

    assert visitor.shown.state == "done"
    assert password_is(acme, acme.iris, NEW_PASSWORD)


def test_a_guest_is_found_by_the_user_id_too(acme: Acme, visitor: Visitor) -> None:
    assert visitor.start("iris_example.org#EXT#@acme.example").state == "proving"
    with acme.inside():
        assert Flow.objects.get().user_id == acme.iris.pk


def test_whoever_has_a_user_id_is_meant_before_the_guest_with_that_mailbox(
    acme: Acme, visitor: Visitor
) -> None:
    with acme.inside():
        last = UUID(int=2**128 - 1)
        member = make_person("zoe", acme.domain, licence=acme.subscription, id=last)
        give_app(member)
        give_email(member, "zoe@mail.example")
        guest = make_guest(member.user_id, acme.domain, "invitation")

    visitor.start(member.user_id)

    assert visitor.shown.state == "proving"
    assert guest.pk < member.pk
    with acme.inside():
        assert Flow.objects.get().user_id == member.pk


def test_on_the_shared_host_the_only_organisation_that_knows_a_guest_is_meant(
    acme: Acme, beta: Beta, clock: Clock
) -> None:
    shared = Visitor("localhost", clock)

    assert shared.start(IRIS).state == "proving"
    with acme.inside():
        assert Flow.objects.get().user_id == acme.iris.pk


def test_several_organisations_are_asked_for_and_never_listed(
    acme: Acme, beta: Beta, clock: Clock, post: Post
) -> None:
    with beta.inside():
        theirs = make_guest(IRIS, beta.domain, "invitation")
    shared = Visitor("localhost", clock)

    page = shared.start(IRIS)

    assert (page.status, page.form.typed) == (200, ["organisation"])
    assert "Acme" not in page.text
    assert CANARY not in page.text
    assert shared.fill(organisation="").form.typed == ["organisation"]
    assert shared.fill(organisation="https://BETA.example/").state == "proving"
    with beta.inside():
        assert Flow.objects.get().user_id == theirs.pk
    assert trail(acme) == []


def test_an_organisation_that_does_not_know_the_guest_is_refused_like_one_that_is_none(
    acme: Acme, beta: Beta, clock: Clock
) -> None:
    from tenants.services import create_tenant

    create_tenant("gamma", "Gamma")
    with beta.inside():
        make_guest(IRIS, beta.domain, "invitation")
    pages = []
    for name in ("gamma", "no-such-organisation", "\u200b", "x" * 400):
        clock.shift(seconds=1)
        shared = Visitor("localhost", clock)
        shared.start(IRIS)
        pages.append(shared.fill(organisation=name))

    assert {page.state for page in pages} == {"refused"}
    assert not any("Gamma" in page.text for page in pages)


def test_the_question_for_the_organisation_is_answered_once_and_only_as_it_was_asked(
    acme: Acme, beta: Beta, clock: Clock
) -> None:
    with beta.inside():
        make_guest(IRIS, beta.domain, "invitation")
    shared = Visitor("localhost", clock)
    shared.start(IRIS)
    who = shared.shown.form.values["who"]
    shared.fill(organisation="beta")

    shared.get("/reset/")
    again = shared.post("/reset/organisation/", {"who": who, "organisation": "acme"})
    forged = shared.post("/reset/organisation/", {"who": f"x{who}", "organisation": "acme"})

    assert (again.state, forged.state) == ("started", "started")
    with acme.inside():
        assert not Flow.objects.exists()


def test_on_an_organisations_own_host_only_it_is_meant(
    acme: Acme, beta: Beta, visitor: Visitor
) -> None:
    assert visitor.start(beta.alice.user_id).state == "refused"
    with beta.inside():
        assert not Flow.objects.exists()


def test_a_partners_journey_goes_to_the_home_tenant(
    acme: Acme, beta: Beta, visitor: Visitor, post: Post
) -> None:
    with beta.inside():
        gina = make_person("gina", beta.domain, licence=beta.subscription)
        give_app(gina)
    set_policy(beta, methods_required=1)

    visitor.start("gina@beta.example")
    with beta.inside():
        assert Flow.objects.get().user_id == gina.pk
    pass_app(visitor, gina)
    visitor.fill(new_password=NEW_PASSWORD)

    assert visitor.shown.state == "done"
    assert password_is(beta, gina, NEW_PASSWORD)
    with acme.inside():
        assert not Flow.objects.exists()
        acme.gina.refresh_from_db()
        assert not acme.gina.has_usable_password()


def test_a_partner_whom_the_home_tenant_refuses_is_refused(
    acme: Acme, beta: Beta, visitor: Visitor
) -> None:
    with beta.inside():
        gina = make_person("gina", beta.domain, licence=beta.subscription)
        give_app(gina)
    set_user(beta, gina, is_active=False)

    assert visitor.start("gina@beta.example").state == "refused"


def test_a_partner_without_a_home_here_is_refused(acme: Acme, visitor: Visitor) -> None:
    page = visitor.start("gina@beta.example")

    assert page.state == "refused"
    assert trail(acme, type="flow.refused")[0].reason == "home_tenant"


def test_partners_of_each_other_do_not_run_in_a_circle(
    acme: Acme, beta: Beta, visitor: Visitor
) -> None:
    with beta.inside():
        make_guest("gina@beta.example", "other.example", "partner", home="acme")

    assert visitor.start("gina@beta.example").state == "refused"


def test_a_partner_of_a_suspended_home_is_refused(acme: Acme, beta: Beta, visitor: Visitor) -> None:
    from tests.resets.walks import suspend

    suspend(beta)

    assert visitor.start("gina@beta.example").state == "refused"
