"""A-084 to A-089: the administration site, attacked by an administrator of the tenant beside."""

import io
import tomllib
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from tenants.models import AuditEvent, Tenant
from tests.cast import CANARY
from tests.isolation.addresses import addresses
from tests.isolation.answers import seen, shows_any, shows_canary, text_of
from tests.isolation.crawl import crawl
from tests.isolation.tables import Table, filled_in, own_tables, pages_of, pointed_at, relations
from tests.security.lab.compare import assert_uniform
from tests.security.lab.lab import Lab
from tests.security.lab.observers import fingerprint
from tests.security.tenants_lab import (
    Site,
    furnished,  # noqa: F401 - a fixture
    sign_in,
)

MASS = {
    "tenant": "",
    "tenant_id": "",
    "is_staff": "on",
    "is_superuser": "on",
    "role": "global_administrator",
    "roles_": "global_administrator",
    "session_epoch": "99",
    "id": "",
    "created_at": "2001-01-01",
    "locked_until": "",
    "frozen_at": "",
}


def kept(lab: Lab) -> dict[str, Any]:
    """Everything of acme but the traces of asking."""
    found = fingerprint(lab.acme.id)
    return {table: value for table, value in found.items() if not table.endswith(TRACES_OF)}


TRACES_OF = ("_auditevent", "_auditpending", "_auditseal", "_audithead", "_session", "_counter")


def test_a084_a_crawl_of_the_administration_meets_nothing_of_beta(site: Site) -> None:
    """That no answer shows the canary is checked after the case; here also no id of beta."""
    pages = list(crawl(site.administrator(), "/admin/", values=3))

    assert len(pages) > 100
    assert [page.address for page in pages if shows_any(page.text, site.foreign)] == []
    assert [page.address for page in pages if shows_canary(page.text)] == []
    unknown = [page.address for page in pages if page.status not in {200, 302}]
    # A message may tell of a journey that is not here any more.
    assert [address for address in unknown if "/flow/reference/" not in address] == []
    assert any(site.acme.alice.user_id in page.text for page in pages)


def test_a084_the_canary_is_there_for_who_may_see_it(site: Site) -> None:
    with site.lab.beta.inside():
        ada = User.objects.get(user_id="ada@beta.example")
    site.lab.leave_alone()

    pages = crawl(sign_in(site.lab, ada, site.lab.beta.host), "/admin/accounts/user/")

    assert any(shows_canary(page.text) for page in pages)


def test_a084_choosers_and_searches_know_the_own_rows_alone(site: Site) -> None:
    administrator = site.administrator()
    answered = 0
    for table in own_tables(administrator):
        options = table.model._meta
        for field in relations(table.model):
            names = {
                "app_label": options.app_label,
                "model_name": str(options.model_name),
                "field_name": field.name,
            }
            for term in ("", CANARY, "ada@"):
                answer = administrator.get("/admin/autocomplete/", {**names, "term": term})
                answered += answer.status_code == 200
                assert not shows_any(text_of(answer), site.foreign)
        for query in ({"q": "ada"}, {"q": str(site.foreign[0])}, {"_popup": "1"}, {"o": "1"}):
            text = text_of(administrator.get(table.list_url, query))
            assert not shows_any(text.replace(str(site.foreign[0]), ""), site.foreign)

    assert answered > 0


def test_a085_beta_ids_in_every_field_that_names_a_row_save_nothing(site: Site) -> None:
    administrator = site.administrator()
    for table in own_tables(administrator):
        for page in pages_of(table, site):
            values = filled_in(administrator, page)
            foreign = foreign_values(table, site)
            chosen = {name: pk for name, pk in foreign.items() if name in values}
            before = kept(site.lab)
            answer = administrator.post(page, {**values, **(chosen or foreign)})
            if chosen:
                assert answer.status_code in {200, 400, 403, 404, 405}, page
                assert kept(site.lab) == before, page
            assert pointed_at(table, site).isdisjoint(site.foreign), page


def foreign_values(table: Table, site: Site) -> dict[str, str]:
    """A row of beta for each field of the table that names one."""
    return {
        each.name: str(site.theirs[each.related_model][0])
        for each in relations(table.model)
        if site.theirs.get(each.related_model)
    }


def test_a086_actions_on_beta_rows_are_denied_and_recorded(site: Site) -> None:
    administrator, before = site.administrator(), kept(site.lab)
    found = own_tables(administrator)

    for table in found:
        rows = [str(pk) for pk in site.theirs[table.model]] or [str(uuid4())]
        fields = {"action": "delete_selected", "post": "yes", "_selected_action": rows}
        assert administrator.post(table.list_url, fields).status_code == 403, table.label

    assert kept(site.lab) == before
    denied = site.lab.trail(type="admin.denied")
    assert [event.result for event in denied] == ["denied"] * len(found)
    assert {event.actor_label for event in denied} == {site.acme.carol.user_id}


def test_a087_an_export_holds_the_own_tenant_alone(site: Site) -> None:
    told = io.StringIO()

    call_command("export", "acme", stdout=told)

    parsed = tomllib.loads(told.getvalue())
    assert parsed["tenant"]["slug"] == "acme"
    assert {user["id"].partition("@")[2] for user in parsed["users"]} == {"acme.example"}
    assert not shows_canary(told.getvalue())


@pytest.mark.parametrize(
    "asked", ["*", "%", "acme,beta", "acme' OR '1'='1", "-", "", "ACME OR slug='beta'", "\x00"]
)
def test_a087_a_crafted_name_exports_nobody(asked: str, site: Site) -> None:
    told = io.StringIO()

    with pytest.raises(CommandError):
        call_command("export", asked, stdout=told)

    assert told.getvalue() == ""


def test_a087_an_export_page_gives_no_row_of_beta_whatever_is_crafted(site: Site) -> None:
    """Every page of the site that gives a file, with ids, filters and orders of beta's."""
    administrator = site.administrator()
    theirs = str(site.theirs[User][0])
    crafted = {"export_items": theirs, "id__in": theirs, "ids": theirs, "format": "0", "o": "1"}
    for address in addresses():
        if address.site and not address.parameters and "login" not in address.template:
            if "logout" in address.template:
                continue
            for answer in (
                administrator.get(address.path, crafted),
                administrator.post(address.path, crafted),
            ):
                assert answer.status_code < 500, address
                assert not shows_any(text_of(answer).replace(theirs, ""), site.foreign), address


def test_a088_fields_a_form_does_not_have_are_written_nowhere(site: Site) -> None:
    administrator = site.administrator()
    before = protected(site)
    for table in own_tables(administrator):
        for page in pages_of(table, site):
            values = filled_in(administrator, page)
            added = {
                name: value or str(site.lab.beta.id)
                for name, value in MASS.items()
                if name not in values
            }
            assert administrator.post(page, {**values, **added}).status_code < 500, page

    assert protected(site) == before


def protected(site: Site) -> list[Any]:
    """What no form may write: whose a row is, its key, who may administer, when it was made."""
    names = ("pk", "tenant_id", "roles", "session_epoch", "frozen_at", "created_at", "password")
    with site.acme.inside():
        people = list(User.objects.order_by("pk").values_list(*names))
        own = list(Tenant.objects.values_list("pk", "slug", "platform", "created_at"))
        return [people, own, AuditEvent.objects.filter(type="tenant.created").count()]


@pytest.mark.parametrize("name", sorted(MASS))
def test_a088_the_portal_refuses_a_field_it_does_not_have(name: str, lab: Lab) -> None:
    browser = lab.browser()
    fields = {"user_id": lab.acme.bob.user_id, **browser.admission("/reset/")}
    value = MASS[name] or str(lab.beta.id)

    answers = [browser.post("/reset/", {**fields, name: value})]
    browser.start(lab.acme.bob.user_id)
    before = kept(lab)
    steps = {"choose": {"method": "email"}, "verify": {"code": "123456"}, "submit": {}, "send": {}}
    for step, own in steps.items():
        answers.append(browser.post(f"{browser.flow_path}{step}/", {**own, name: value}))

    assert [answer.status for answer in answers] == [400] * 5
    assert kept(lab) == before


QUESTIONS = ("ordering=password", "fields=totp_secret", "expand=tenant.users", "search[]=a")


@pytest.mark.parametrize("query", QUESTIONS)
def test_a089_lists_answer_no_question_they_do_not_offer(query: str, site: Site) -> None:
    administrator = site.administrator()
    for table in own_tables(administrator):
        plain = administrator.get(table.list_url)
        answer = administrator.get(f"{table.list_url}?{query}")
        if plain.status_code == 302:  # a list of one row is that row, whatever is asked
            assert seen(answer) == seen(plain), table.label
        else:
            assert answer.status_code == 400, table.label


@pytest.mark.parametrize("query", QUESTIONS)
@pytest.mark.parametrize("path", ["/", "/reset/", "/help/"])
def test_a089_pages_of_the_portal_do_not_read_such_questions(
    path: str, query: str, lab: Lab
) -> None:
    plain, asking = lab.browser(), lab.browser()

    assert_uniform(plain.get(path), asking.get(f"{path}?{query}"), typed=[f"?{query}"])
