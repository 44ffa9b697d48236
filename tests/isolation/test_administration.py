"""Every table of every administration site, asked in every way (R-4; A-084 to A-089).

Generated from the registries of the sites: a table, filter, action or form added later is asked
too.
"""

from collections.abc import Iterator
from uuid import UUID, uuid4

from django.test import Client
from django.urls import reverse

from accounts.models import User
from tenants.admin import tenant_site
from tenants.models import ResetPolicy
from tests.cast import CANARY
from tests.isolation.addresses import addresses, sites
from tests.isolation.answers import seen, shows_canary, text_of
from tests.isolation.canary import Scene, leaks, state
from tests.isolation.crawl import crawl
from tests.isolation.tables import (
    PLAIN,
    SORTINGS,
    Table,
    date_queries,
    filter_parameters,
    index_of,
    is_open,
    lookups,
    own_tables,
    relations,
    request_of,
)

NOBODYS_WORD = "OMEGA-ZEBRA"


def test_the_registries_are_not_empty(client_of_acme: Client) -> None:
    assert tenant_site in sites()
    assert {each.model for each in own_tables(client_of_acme)} >= {User, ResetPolicy}


def test_a_crawl_meets_nothing_of_the_other_tenant(client_of_acme: Client, scene: Scene) -> None:
    pages = [
        page
        for site in sites()
        if is_open(client_of_acme, site)
        for page in crawl(client_of_acme, index_of(site))
    ]

    assert len(pages) > 100
    assert [page.address for page in pages if leaks(scene, page.text)] == []
    assert [page.address for page in pages if page.status >= 500] == []


def test_the_other_tenants_administrator_meets_the_canary(scene: Scene) -> None:
    """What was planted shows where it may, else the crawl would prove nothing."""
    client = scene.counterpart()

    found = [
        each.label
        for each in own_tables(client)
        if shows_canary(text_of(client.get(each.list_url, follow=True)))
    ]

    assert len(found) > 4


def queries(table: Table, word: str, pk: UUID, parameters: list[str]) -> list[str]:
    """Every question a list can be asked about a word or a row."""
    asked = [f"q={word}", f"q={pk}", *PLAIN, *date_queries(table)]
    asked += [f"o={each}" for each in SORTINGS]
    return asked + [f"{name}={value}" for name in parameters for value in (word, pk)]


def test_no_question_to_a_list_is_answered_by_the_other_tenant(
    client_of_acme: Client, scene: Scene
) -> None:
    """Beta's words and ids are answered like words and ids that nobody has."""
    telling, counted, nobodys = [], 0, uuid4()
    with scene.acme.inside():
        request = request_of(scene.acme.carol, scene)
        asked = {each: filter_parameters(each, request) for each in own_tables(client_of_acme)}
    for table, parameters in asked.items():
        theirs = scene.theirs[table.model][0]
        pairs = zip(
            queries(table, CANARY, theirs, parameters),
            queries(table, NOBODYS_WORD, nobodys, parameters),
            strict=True,
        )
        for about_them, about_nobody in pairs:
            answer = client_of_acme.get(f"{table.list_url}?{about_them}")
            unknown = client_of_acme.get(f"{table.list_url}?{about_nobody}")
            counted += 1
            same = seen(answer, theirs, more=[CANARY, CANARY.lower()]) == seen(
                unknown, nobodys, more=[NOBODYS_WORD, NOBODYS_WORD.lower()]
            )
            if not same or leaks(scene, text_of(answer), CANARY, str(theirs)):
                telling.append((table.label, about_them))

    assert telling == []
    assert counted > 150


WORDS = ("ordering", "fields", "expand", "search[]", "tenant", "id__in", "pk")


def test_nothing_but_a_filter_looks_anything_up(client_of_acme: Client, scene: Scene) -> None:
    """A condition on a hash or seed, letter by letter, is refused before it is tried (A-089)."""
    allowed_too, answered, judged = [], [], 0
    for table in own_tables(client_of_acme):
        with scene.acme.inside():
            request = request_of(scene.acme.carol, scene)
            listed = set(filter_parameters(table, request))
        known = list(lookups(table.model))
        names = {*known, *WORDS} - listed
        judged += len(names)
        allow = table.model_admin.lookup_allowed
        allowed_too += [(table.label, name) for name in names if allow(name, "a", request)]
        asked = {name: f"{table.list_url}?{name}=a" for name in names & {*WORDS, *known[-2:]}}
        answered += [
            name for name, url in asked.items() if client_of_acme.get(url).status_code == 200
        ]

    assert (allowed_too, answered) == ([], [])
    assert judged > 500


def autocompletes(client: Client) -> Iterator[tuple[str, dict[str, str]]]:
    """Every relation of every table, as the choosers of the site ask for it."""
    for table in own_tables(client):
        site, options = table.model_admin.admin_site, table.model._meta
        for field in relations(table.model):
            names = {
                "app_label": options.app_label,
                "model_name": str(options.model_name),
                "field_name": field.name,
            }
            yield reverse(f"{site.name}:autocomplete"), names


def test_no_chooser_offers_the_other_tenants_rows(client_of_acme: Client, scene: Scene) -> None:
    offered, answered = [], 0
    for url, names in autocompletes(client_of_acme):
        for term in ("", CANARY, "a", "bob@", "%", "\x00"):
            answer = client_of_acme.get(url, {**names, "term": term})
            assert answer.status_code < 500
            answered += answer.status_code == 200
            if leaks(scene, text_of(answer)):
                offered.append((names, term))

    assert offered == []
    assert answered > 5


def test_addresses_without_parameters_show_nothing_however_they_are_asked(
    client_of_acme: Client, scene: Scene
) -> None:
    """Exports, tools and other pages, with beta's ids in whatever they might read (A-087)."""
    before = state(scene)
    theirs = scene.theirs[User][0]
    asked = {
        "ids": str(theirs),
        "export_items": str(theirs),
        "id__in": str(theirs),
        "pk": str(theirs),
        "tenant": str(scene.beta.id),
        "format": "0",
        "resource": "0",
        "file_format": "0",
        "ordering": "password",
    }
    plain = [
        each
        for each in addresses()
        if each.site and not each.parameters and not each.template.endswith("/logout/")
    ]
    for address in plain:
        for method in ("get", "post"):
            answer = getattr(client_of_acme, method)(address.path, asked)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code < 500, address
            text = body.decode(errors="replace")
            assert not leaks(scene, text, str(theirs), str(scene.beta.id)), (address, method)

    assert len(plain) > 15
    assert {k: v for k, v in state(scene).items() if k.startswith("beta")} == {
        k: v for k, v in before.items() if k.startswith("beta")
    }


def test_a_site_for_others_tells_a_tenants_administrator_what_it_tells_everybody(
    client_of_acme: Client, scene: Scene
) -> None:
    stranger = Client(headers={"host": scene.acme.host}, raise_request_exception=False)
    closed = [site for site in sites() if not is_open(client_of_acme, site)]

    for address in addresses():
        if address.site in closed:
            path = address.filled(scene.foreign[0], scene.beta.id)
            if path is not None:
                answer, public = client_of_acme.get(path), stranger.get(path)
                assert answer.status_code == public.status_code, path
                assert not leaks(scene, text_of(answer), str(scene.foreign[0])), path

    assert not is_open(stranger, tenant_site)
