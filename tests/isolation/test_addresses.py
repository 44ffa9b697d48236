"""Every address × every foreign object: another tenant's row is as unknown as a random id.

Generated from the URL map and the model registry (R-1, R-4; A-082).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client

from accounts.signin.sessions import SessionStore
from resets.models import Flow
from tests.isolation.addresses import Address, addresses
from tests.isolation.answers import Seen, seen, shows_any, shows_canary, text_of
from tests.isolation.canary import Scene, snapshot
from tests.isolation.tables import Rows

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
READ_AND_POST = ("GET", "POST")
DENIED = frozenset({"tenants_auditevent", "tenants_auditpending", "tenants_counter"})
MALFORMED = (
    "not-an-id",
    "0",
    "-1",
    "%00",
    "%27%20OR%20%271%27%3D%271",
    "..%2f..%2f",
    "00000000-0000-0000-0000-000000000000",
    "%E2%80%AE",
    "9" * 300,
)
FIELDS = {"_selected_action": "", "action": "delete_selected", "post": "yes"}
# A random id is answered with one of these: not there, not yours, sign in first, not this way.
REFUSALS = frozenset({301, 302, 400, 401, 403, 404, 405, 410, 415})
# A colour and the name of an app are words, not rows.
NAMES_NO_ROW = frozenset({"color", "app_label", "method"})


@dataclass(frozen=True)
class Person:
    """Somebody who asks. `make` gives their browser on a host."""

    name: str
    make: Callable[[Scene, str], Client]

    def __str__(self) -> str:
        return self.name


def anonymous(scene: Scene, host: str) -> Client:
    return Client(headers={"host": host}, raise_request_exception=False)


def visitor(scene: Scene, host: str) -> Client:
    """Holds an open journey of acme."""
    client = anonymous(scene, host)
    client.cookies[settings.FLOW_COOKIE_NAME] = scene.journey.cookie()
    return client


def forger(scene: Scene, host: str) -> Client:
    """Holds acme's secret, and writes beta's name in front of it."""
    client = anonymous(scene, host)
    for name in (settings.FLOW_COOKIE_NAME, settings.SESSION_COOKIE_NAME):
        client.cookies[name] = f"{scene.beta.id.hex}.{scene.journey.secret}"
    return client


def administrator(scene: Scene, host: str) -> Client:
    """Signed in at acme, with a journey of acme besides."""
    client = scene.administrator(host=host)
    client.cookies[settings.FLOW_COOKIE_NAME] = scene.journey.cookie()
    return client


PEOPLE = [Person(make.__name__, make) for make in (anonymous, visitor, forger, administrator)]
HOSTS = ("acme.sspr.test", "localhost")


def parametrized() -> list[Address]:
    """Every address that could name a row."""
    return [each for each in addresses() if set(each.parameters) - NAMES_NO_ROW]


def ask(client: Client, method: str, path: str) -> Any:
    # The portal refuses unknown fields before it looks anything up, so it is sent none.
    data = FIELDS if method == "POST" and path.startswith("/admin/") else None
    # A login redirect ends a session that is nobody's; the cookie has to be there next time.
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    if method == "TRACE":
        answer: Any = client.generic("TRACE", path)
    else:
        answer = getattr(client, method.lower())(path, data)
    for name, value in cookies.items():
        client.cookies[name] = value
    return answer


def test_the_map_holds_what_matters() -> None:
    paths = {address.template for address in addresses()}

    assert {"/", "/reset/", "/reset/%(flow)s/submit/", "/not-me/%(token)s/"} <= paths
    assert "/admin/accounts/user/%(object_id)s/change/" in paths
    assert len(parametrized()) > 25


def test_the_scene_is_marked(scene: Scene) -> None:
    """Otherwise nothing that follows could fail."""
    assert set(scene.theirs) == set(scene.own)
    assert all(scene.theirs.values())
    page = scene.counterpart().get("/admin/accounts/user/")
    assert page.status_code == 200
    assert shows_canary(page.content.decode())


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_no_method_tells_another_tenants_row_from_a_random_one(
    person: Person, host: str, scene: Scene
) -> None:
    client, before = person.make(scene, host), snapshot(scene.beta)

    differing = [
        (method, address.template)
        for address in parametrized()
        for method in METHODS
        if not is_unknown(
            scene,
            client,
            method,
            address,
            likeliest(scene, address),
            asked_at_random(client, method, address),
        )
    ]

    assert differing == []
    # A step with a forged cookie leaves its trace where the journey is, and nothing else.
    traces = DENIED if str(person) == "forger" else frozenset()
    after = snapshot(scene.beta)
    assert {table for table in after if after[table] != before[table]} <= traces


@pytest.fixture
def _known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is looked for once: these thousands of requests are about what they ask for."""
    found: dict[Any, Any] = {}
    look_for = SessionStore._find_row

    def find_row(store: SessionStore) -> Any:
        if store.session_key not in found:
            found[store.session_key] = look_for(store)
        return found[store.session_key]

    monkeypatch.setattr(SessionStore, "_find_row", find_row)


@pytest.mark.usefixtures("_known_at_once")
@pytest.mark.parametrize("method", READ_AND_POST)
def test_no_row_of_any_table_opens_at_any_address(method: str, scene: Scene) -> None:
    """A row of one table is not found under the address of another either."""
    client, before = administrator(scene, scene.acme.host), snapshot(scene.beta)

    differing = [
        (address.template, model._meta.label)
        for address in parametrized()
        for unknown in [asked_at_random(client, method, address)]
        for model, ids in scene.theirs.items()
        if not is_unknown(scene, client, method, address, ids[0], unknown)
    ]

    assert differing == []
    assert snapshot(scene.beta) == before


@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_what_is_no_id_at_all_is_refused_without_a_fault(person: Person, scene: Scene) -> None:
    client = person.make(scene, scene.acme.host)

    answers = {
        (path, method): ask(client, method, path)
        for address in parametrized()
        for path in malformed(address)
        for method in READ_AND_POST
    }

    assert len(answers) > 200
    assert {key: a.status_code for key, a in answers.items() if a.status_code not in REFUSALS} == {}
    assert [key for key, answer in answers.items() if shows_canary(text_of(answer))] == []


def malformed(address: Address) -> Iterator[str]:
    for value in MALFORMED:
        yield address.template % dict.fromkeys(address.parameters, value)


def test_the_own_rows_open(scene: Scene) -> None:
    """The same addresses with the own ids, else everything could be refused to everybody."""
    client = administrator(scene, scene.acme.host)

    opened = {
        address.template
        for address in parametrized()
        for pk in (*scene.own.get(table_of(address), [])[:1], scene.journey.flow)
        if ask(client, "GET", path_of(address, pk, scene.acme.id)).status_code == 200
    }

    assert "/reset/%(flow)s/" in opened
    assert {
        address.template
        for address in parametrized()
        if address.model_admin and address.template.endswith("/change/")
    } <= opened


def likeliest(scene: Rows, address: Address) -> UUID:
    """The row of beta that this address would show if it showed any; where beta has no row of
    the table, an id."""
    return next(iter(scene.theirs[table_of(address)]), uuid4())


def table_of(address: Address) -> Any:
    return address.model_admin.model if address.model_admin else Flow


def path_of(address: Address, pk: UUID, tenant: UUID) -> str:
    path = address.filled(pk, tenant)
    assert path is not None, address
    return path


def asked_at_random(client: Client, method: str, address: Address) -> Seen:
    """How an id that nobody has is answered."""
    nobodys, nowhere = uuid4(), uuid4()
    return look(ask(client, method, path_of(address, nobodys, nowhere)), nobodys, nowhere)


def is_unknown(
    scene: Scene, client: Client, method: str, address: Address, theirs: UUID, unknown: Seen
) -> bool:
    """Whether beta's row is answered like a random id, with nothing of beta in the answer."""
    answer = ask(client, method, path_of(address, theirs, scene.beta.id))
    found = look(answer, theirs, scene.beta.id)
    # What was asked for is masked: an echo of it is no news.
    leaks = shows_canary(found.text) or shows_any(found.text, scene.foreign)
    return found == unknown and unknown.status in REFUSALS and not leaks


def look(answer: Any, *ids: UUID) -> Seen:
    found = seen(answer, *ids)
    return replace(found, text="" if found.status == 405 else found.text)
