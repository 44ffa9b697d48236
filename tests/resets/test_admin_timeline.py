"""One journey told on one page, found by its reference from everywhere."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from resets.admin_words import REASONS, next_step
from resets.flow import State
from resets.models import Flow
from tenants.context import tenant_context
from tenants.models import AuditEvent
from tests.tenants.admin.cast import NOW, House, canary, contoso, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> House:
    return contoso()


@pytest.fixture
def client(own: House) -> Client:
    return signed_in(own.admin)


def journey_page(client: Client, house: House) -> str:
    return client.get(f"/admin/resets/flow/{house.rows['resets/flow']}/change/").content.decode()


def section(text: str, title: str) -> list[list[str]]:
    """The cells of a section's table, without markup, line by line."""
    part = re.split(r"<h2[^>]*>", text)
    [found] = [each for each in part if each.startswith(f"{title}</h2>")]
    lines = re.findall(r"<tr>(.*?)</tr>", found.partition("<tbody>")[2], re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", line, re.DOTALL) for line in lines]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in line] for line in cells]


def fact(text: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt>\s*<dd>(.*?)</dd>", text, re.DOTALL)
    assert found is not None, name
    return re.sub(r"<[^>]+>", "", found[1]).strip()


def test_each_step_has_its_time_and_the_gap_to_the_one_before(own: House, client: Client) -> None:
    with tenant_context(own.tenant):
        last = AuditEvent.objects.get(pk=own.rows["tenants/auditevent"])
        last.pk, last.created_at = None, NOW + timedelta(hours=1, minutes=2, seconds=5)
        AuditEvent.objects.bulk_create([last])

    steps = section(journey_page(client, own), "Timeline")

    assert [(step[0], step[1]) for step in steps] == [
        ("2026-11-20 09:30:00 UTC", "–"),
        ("2026-11-20 09:30:20 UTC", "+ 0:20"),
        ("2026-11-20 09:30:40 UTC", "+ 0:20"),
        ("2026-11-20 10:32:05 UTC", "+ 1:01:25"),
    ]


def test_state_proofs_and_messages_are_on_the_same_page(own: House, client: Client) -> None:
    text = journey_page(client, own)

    assert fact(text, "State") == "done"
    assert fact(text, "Proofs") == "1 of 1 passed"
    assert fact(text, "Address") == "192.0.2.7"
    assert fact(text, "Language") == "en"
    [proof] = section(text, "Proofs asked for")
    assert proof[1:4] == ["1", "Email", "email"]
    assert proof[-1] == "2026-11-20 09:30:40 UTC"
    [message] = section(text, "Messages")
    assert message[1:] == ["Code", "email", "b••••@p••••.example", "queued"]


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_refusal_tells_why_and_what_to_do(reason: str, own: House, client: Client) -> None:
    with tenant_context(own.tenant):
        Flow.objects.update(state="refused", reason=reason)

    text = journey_page(client, own).replace("&#x27;", "'")

    assert fact(text, "Reason") == f"{reason}: {REASONS[reason]}"
    assert fact(text, "What to do next") == next_step(State.REFUSED, reason)
    assert next_step(State.REFUSED, reason) != next_step(State.REFUSED, "nothing known")


def test_every_state_has_a_next_step() -> None:
    steps = {state: next_step(state, "") for state in State}

    assert all(steps.values())
    assert steps[State.DONE] != steps[State.EXPIRED] != steps[State.PROVING]
    assert next_step(State.PROVING, "", is_late=True) == steps[State.EXPIRED]


def test_events_messages_and_lists_lead_to_the_journey(own: House, client: Client) -> None:
    journey = f"/admin/resets/flow/reference/{own.reference}/"
    pages = [
        "tenants/auditevent/",
        f"tenants/auditevent/{own.rows['tenants/auditevent']}/change/",
        "notifications/message/",
        f"notifications/message/{own.rows['notifications/message']}/change/",
    ]

    for page in pages:
        assert f'href="{journey}"' in client.get(f"/admin/{page}").content.decode(), page
    for written in (own.reference, own.reference.lower().replace("-", "")):
        answer = client.get(f"/admin/resets/flow/reference/{written}/")
        goal = f"/admin/resets/flow/{own.rows['resets/flow']}/change/"
        assert (answer.status_code, answer.headers["Location"]) == (302, goal)


def test_a_foreign_or_unknown_reference_leads_nowhere(client: Client) -> None:
    other = canary()

    for reference in (other.reference, "AAAA-AAAA", "nonsense", "%00"):
        assert client.get(f"/admin/resets/flow/reference/{reference}/").status_code == 404


def test_messages_and_journeys_are_found_by_the_person(own: House, client: Client) -> None:
    canary()

    for table in ("resets/flow", "notifications/message", "tenants/auditevent"):
        row = f"{own.rows[table]}/change/"
        for text in (own.person, "BOB"):
            found = client.get(f"/admin/{table}/", {"q": text}).content.decode()
            assert row in found, (table, text)
        nobody = client.get(f"/admin/{table}/", {"q": "bobby"}).content.decode()
        assert row not in nobody


def test_the_page_of_a_person_shows_the_newest_journeys(own: House, client: Client) -> None:
    page = f"/admin/accounts/user/{own.rows['accounts/user']}/change/"

    [journey] = section(client.get(page).content.decode(), "Newest journeys")

    assert journey == ["2026-11-20 09:30:00 UTC", own.reference, "done", "–"]
