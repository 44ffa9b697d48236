"""Long lists page by page: every row once, whatever arrives meanwhile, and nothing counted."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.admin.paging import BadPlace, Order, Place, find_place, written
from tenants.audit import Event, Party, record_many
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.tenants.admin.cast import CANARY, NOW, House, canary, contoso, make_person, signed_in

pytestmark = pytest.mark.django_db
TRAIL = "/admin/tenants/auditevent/"
EARLIER = NOW - timedelta(days=3)
BY_TIME = Order(("created_at", "id"), descending=True)


@pytest.fixture
def own() -> House:
    """Contoso with 130 older events, always ten at the same moment."""
    house = contoso()
    add_events(house, [EARLIER + timedelta(minutes=number // 10) for number in range(130)])
    return house


@pytest.fixture
def client(own: House) -> Client:
    return signed_in(own.admin)


def add_events(house: House, moments: list[datetime], *, result: str = "denied") -> None:
    someone = Party("administrator", None, f"nobody@{house.domain}")
    with tenant_context(house.tenant):
        record_many(
            [
                Event(
                    event_type="admin.denied",
                    actor=someone,
                    result=result,  # type: ignore[arg-type]  # one of the three
                    now=moment,
                )
                for moment in moments
            ]
        )


def rows_of(text: str, table: str = "tenants/auditevent") -> list[str]:
    """Ids of the rows of a list, in order."""
    cells = re.findall(rf'<th class="field-[^"]+"><a href="/admin/{table}/([0-9a-f-]+)/', text)
    assert len(cells) == len(set(cells))
    return cells


def links_of(text: str) -> dict[str, str]:
    pages = text.partition('aria-label="Pages"')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', pages)
    return {words: unescape(address) for address, words in found}


def walk(client: Client, address: str, words: str) -> list[list[str]]:
    """The rows of each page from an address on, following the link with these words."""
    pages = []
    while address:
        text = client.get(address).content.decode()
        pages.append(rows_of(text))
        following = links_of(text).get(words, "")
        address = TRAIL + following if following else ""
    return pages


def everything(house: House, **which: str) -> list[str]:
    with tenant_context(house.tenant):
        rows = AuditEvent.objects.filter(**which).order_by("-created_at", "-id")
        return [str(pk) for pk in rows.values_list("pk", flat=True)]


def test_older_pages_show_every_event_once_in_order(own: House, client: Client) -> None:
    pages = walk(client, TRAIL, "Older")

    assert [len(page) for page in pages[:-1]] == [50, 50]
    assert [row for page in pages for row in page] == everything(own)


def test_newer_pages_lead_back_and_the_first_is_whole(own: House, client: Client) -> None:
    pages = walk(client, f"{TRAIL}?before=end", "Newer")

    assert pages[0] == everything(own)[-50:]
    assert pages[-1] == everything(own)[:50]
    assert {row for page in pages for row in page} == set(everything(own))


def test_what_arrives_meanwhile_moves_nothing(own: House, client: Client) -> None:
    first = client.get(TRAIL).content.decode()
    before = everything(own)
    add_events(own, [datetime(2026, 12, 1, tzinfo=UTC)] * 7)

    second = client.get(TRAIL + links_of(first)["Older"]).content.decode()

    assert rows_of(first) + rows_of(second) == before[:100]
    assert set(links_of(second)) == {"Newest", "Newer", "Older", "Oldest"}


@pytest.mark.parametrize(
    ("asked", "which"),
    [
        ("type=admin.denied", {"type": "admin.denied"}),
        ("result=denied", {"result": "denied"}),
        ("type=admin.denied&result=denied", {"type": "admin.denied", "result": "denied"}),
        ("q=nobody%40contoso.example", {"actor_label": "nobody@contoso.example"}),
        ("q=NOBODY&type=admin.denied", {"actor_label": "nobody@contoso.example"}),
    ],
)
def test_filters_and_searches_stay_while_paging(
    asked: str, which: dict[str, str], own: House, client: Client
) -> None:
    add_events(own, [EARLIER] * 3, result="failure")

    pages = walk(client, f"{TRAIL}?{asked}", "Older")

    assert len(pages) == 3
    assert [row for page in pages for row in page] == everything(own, **which)


def test_a_filter_leads_to_its_first_page_again(own: House, client: Client) -> None:
    text = client.get(f"{TRAIL}?before=end&result=denied").content.decode()

    filters = text.partition('id="changelist-filter"')[2]
    assert "?result=denied" in unescape(filters) or "result=denied" in unescape(filters)
    assert "before=" not in filters
    assert 'name="before"' not in text


@pytest.mark.parametrize("address", [TRAIL, f"{TRAIL}?before=end", "/admin/accounts/user/"])
def test_nothing_is_counted_and_nothing_skipped(address: str, client: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200

    said = " ".join(query["sql"] for query in captured.captured_queries).upper()
    assert "COUNT(" not in said
    assert "OFFSET" not in said


@pytest.mark.parametrize(
    "place",
    [
        "after=",
        "after=x",
        "after=1~2",
        "before=~",
        "after=99999999999999999999~" + "0" * 32,
        "after=-1~" + "0" * 32,
        "before=1~" + "g" * 32,
        "after=1~" + "0" * 32 + "~1",
        "after=%00",
        "after=" + "1" * 500,
        "after=1~" + "0" * 32 + "&before=end",
    ],
)
def test_a_place_that_no_link_leads_to_is_refused(place: str, client: Client) -> None:
    assert client.get(f"{TRAIL}?{place}").status_code == 400
    assert client.get(TRAIL).status_code == 200


def test_a_place_beyond_the_end_leads_back(client: Client) -> None:
    text = client.get(f"{TRAIL}?after=1~{'0' * 32}").content.decode()

    assert "Nothing found." in text
    assert set(links_of(text)) == {"Newest"}


def test_the_place_of_another_tenants_row_shows_only_ones_own(client: Client) -> None:
    other = canary()
    with tenant_context(other.tenant):
        newest = AuditEvent.objects.order_by("-created_at", "-id")[0]

    text = client.get(f"{TRAIL}?after={written(BY_TIME.key(newest))}").content.decode()

    assert rows_of(text)
    assert CANARY not in text


def test_people_are_paged_by_their_user_ids(own: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.admin.UserAdmin.list_per_page", 2)
    with tenant_context(own.tenant):
        for name in ("eva", "dan", "c~d"):
            make_person(f"{name}@contoso.example", name)
    client = signed_in(own.admin)
    seen, address = [], "/admin/accounts/user/"
    while address:
        text = client.get(address).content.decode()
        seen += re.findall(r">([^<>]+@contoso\.example)</a>", text)
        following = links_of(text).get("Next", "")
        address = f"/admin/accounts/user/{following}" if following else ""

    names = ("ada", "bob", "c~d", "dan", "eva")
    assert seen == [f"{name}@contoso.example" for name in names]


KEYS: tuple[Callable[[], tuple[object, ...]], ...] = (
    lambda: (datetime(2026, 11, 20, 9, 30, 1, 999_999, tzinfo=UTC), UUID(int=7)),
    lambda: (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1)),
)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_read_as_it_was_written(key: Callable[[], tuple[object, ...]]) -> None:
    text = written(key())

    assert find_place({"after": text}, BY_TIME, AuditEvent) == Place(key())
    assert find_place({"before": text}, BY_TIME, AuditEvent) == Place(key(), backwards=True)
    with pytest.raises(BadPlace):
        find_place({"after": text, "before": text}, BY_TIME, AuditEvent)
