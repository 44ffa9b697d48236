"""What administrators are told of somebody whose password a directory keeps."""

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from resets.admin_explain import _told
from resets.explain import explain
from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.resets.walks import set_policy
from tests.writeback.field import FieldAgent, link, make_connector
from writeback.models import Connector, DirectoryLink


def asked(acme: Acme, at: datetime) -> dict[str, Any]:
    out = StringIO()
    call_command("explain", acme.bob.user_id, "--json", "--at", at.isoformat(), stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_state_is_the_directorys_own(hybrid: Acme, agent: FieldAgent, clock: Clock) -> None:
    fresh = asked(hybrid, clock.now)
    silent = asked(hybrid, clock.now + timedelta(seconds=76))
    agent.beat(directory={"state": "misconfigured", "trouble": "account"})
    broken = asked(hybrid, clock.now)

    assert (fresh["writeback"], fresh["reason"]) == ("healthy", None)
    assert (silent["writeback"], silent["reason"]) == ("disconnected", "SSPR_0030")
    assert (broken["writeback"], broken["reason"]) == ("not_configured", "SSPR_0029")
    assert fresh["notes"] == ["Directory Head office: healthy."]
    assert broken["notes"] == ["Directory Head office: not configured (account)."]


def test_it_is_told_where_the_policy_lets_nothing_be_written_too(
    hybrid: Acme, clock: Clock
) -> None:
    set_policy(hybrid, writeback=False)

    answer = asked(hybrid, clock.now)

    assert (answer["writeback"], answer["reason"]) == ("healthy", "SSPR_0010")


def test_of_several_directories_the_worst_state_counts_and_each_is_named(
    hybrid: Acme, clock: Clock
) -> None:
    link(hybrid, hybrid.bob, make_connector(hybrid, "Branch"), "uid=bob")

    answer = asked(hybrid, clock.now)

    assert answer["writeback"] == "not_configured"
    assert sorted(answer["notes"]) == [
        "Directory Branch: not configured.",
        "Directory Head office: healthy.",
    ]


@pytest.mark.parametrize(
    ("what", "note"),
    [
        ("no link", "No account of a directory is linked to this person."),
        ("switched off", "Directory Head office: writing is switched off."),
    ],
)
def test_what_is_missing_is_named(hybrid: Acme, clock: Clock, what: str, note: str) -> None:
    with hybrid.inside():
        if what == "no link":
            DirectoryLink.objects.all().delete()
        else:
            Connector.objects.update(enabled=False)

    answer = asked(hybrid, clock.now)

    assert (answer["writeback"], answer["notes"]) == ("not_configured", [note])


def test_people_of_the_cloud_have_no_state(hybrid: Acme, clock: Clock) -> None:
    answer = explain(hybrid.alice.user_id, tenant=hybrid.id, now=clock.now)

    assert (answer["writeback"], answer["notes"]) == (None, [])


def test_the_page_of_a_person_shows_it(hybrid: Acme, clock: Clock) -> None:
    told = _told(explain(hybrid.bob.user_id, tenant=hybrid.id, now=clock.now))

    assert ("Way to the directory", "Healthy") in told["facts"]
    [notes] = told["sections"]
    assert notes.rows == [("Directory Head office: healthy.",)]
