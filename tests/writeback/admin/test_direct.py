"""The page on which a directory is set up that the product reaches itself."""

from html import unescape
from typing import Any

import pytest

from tests.cast import Acme, Beta
from tests.resets.visitor import Clock
from tests.tenants.admin.desk import Form
from tests.writeback.admin.desk import ClockDesk, colleague, events, page, refusal
from tests.writeback.admin.test_connectors import LIST, row_page
from tests.writeback.directly import (
    HOST,
    PLACE,
    SECRET,
    TEXT,
    fresh,
    own_agent,
    scripted,
    set_up,
)
from tests.writeback.field import keep_signer_at_work, make_connector
from tests.writeback.scripted import raises
from writeback.connectors.base import Trouble, Unreachable
from writeback.models import Connector
from writeback.state_words import OWN_TROUBLES

pytestmark = pytest.mark.django_db
GIVEN = {"settings": TEXT, "places": PLACE, "per_hour": "60", "burst": "10", "secret": SECRET}


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.SSPR_DIRECT_HOSTS = [HOST]


@pytest.fixture
def direct(acme: Acme, connector: Connector, clock: Clock) -> Connector:
    with clock.running():
        set_up(acme, connector)
    return fresh(acme, connector)


def test_it_is_set_up_and_the_secret_is_never_shown(
    acme: Acme, desk: ClockDesk, connector: Connector
) -> None:
    path = row_page(connector, "direct/")
    assert page(desk.post(path, GIVEN)) == row_page(connector)
    row = fresh(acme, connector)
    assert (row.direct, row.settings["places"]) == (True, [PLACE])
    for where in (path, row_page(connector), LIST, row_page(connector, "try/")):
        text = desk.read(where)
        assert SECRET not in text
    fields = Form(desk.read(path)).fields
    assert fields["settings"][0].strip() == TEXT.strip()
    assert (fields["places"], fields["secret"]) == ([PLACE], [""])
    [line] = events(acme, "connector.direct_set")
    assert (line.actor_label, SECRET in str(line.data)) == (acme.carol.user_id, False)


def test_an_empty_secret_leaves_the_stored_one(
    acme: Acme, desk: ClockDesk, direct: Connector
) -> None:
    path = row_page(direct, "direct/")
    assert page(desk.send(path, per_hour="5")) == row_page(direct)
    assert fresh(acme, direct).settings["per_hour"] == 5
    told = [line.data["fields"] for line in events(acme, "connector.direct_set")]
    assert ["per_hour"] in told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"settings": TEXT.replace(HOST, "10.0.0.5")}, "This host may not be reached from here"),
        ({"settings": f'{TEXT}ca_file = "/etc/passwd"'}, "ca_file: Write the certificates"),
        ({"settings": "servers ="}, "This is not TOML"),
        ({"settings": ""}, "This field is required"),
        ({"places": ""}, "Write at least one place"),
        ({"places": "Staff"}, "Write a distinguished name or a path"),
        ({"per_hour": "0"}, "greater than or equal to 1"),
        ({"secret": ""}, "Write the password, secret or token"),
    ],
)
def test_what_is_wrong_is_told_and_the_secret_not_repeated(
    acme: Acme, desk: ClockDesk, connector: Connector, changes: dict[str, str], told: str
) -> None:
    text = unescape(refusal(desk.post(row_page(connector, "direct/"), {**GIVEN, **changes})))
    assert told in text
    assert SECRET not in text
    assert not fresh(acme, connector).direct


class TestTrying:
    def test_a_directory_that_answers_is_told_as_such(
        self,
        acme: Acme,
        desk: ClockDesk,
        direct: Connector,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        scripted(monkeypatch)
        path = row_page(direct, "try/")
        desk.read(path)
        assert fresh(acme, direct).directory_state == ""
        assert page(desk.post(path, {})) == row_page(direct)
        assert fresh(acme, direct).directory_state == "ok"

    @pytest.mark.parametrize("trouble", sorted(OWN_TROUBLES))
    def test_a_trouble_is_told_with_what_mends_it(
        self,
        desk: ClockDesk,
        direct: Connector,
        monkeypatch: pytest.MonkeyPatch,
        trouble: Trouble,
    ) -> None:
        scripted(monkeypatch).plan["connect"] = [raises(Unreachable(trouble))]
        text = unescape(refusal(desk.post(row_page(direct, "try/"), {})))
        words = OWN_TROUBLES[trouble]
        assert words.name in text
        assert words.fix in text

    def test_is_offered_where_there_is_something_to_try(
        self, desk: ClockDesk, connector: Connector
    ) -> None:
        for more in ("try/", "stop/"):
            assert desk.get(row_page(connector, more)).status_code == 404
        assert "Try it now" not in desk.read(row_page(connector))


def test_the_page_of_the_directory_tells_of_it_in_words_without_an_agent(
    acme: Acme,
    desk: ClockDesk,
    direct: Connector,
) -> None:
    keep_signer_at_work()
    with acme.inside():
        Connector.objects.update(directory_state="misconfigured", trouble="account")
    text = unescape(desk.read(row_page(direct)))
    assert OWN_TROUBLES["account"].means in text
    assert "This product" in text


def test_its_agent_is_neither_confirmed_nor_revoked(
    acme: Acme, desk: ClockDesk, direct: Connector
) -> None:
    row = own_agent(acme, direct)
    assert "This product" in desk.read(f"writeback/agent/{row.pk}/change/")
    for more in ("confirm/", "revoke/"):
        assert desk.get(f"writeback/agent/{row.pk}/{more}").status_code == 404


def test_stopping_asks_for_a_reason_and_forgets_everything(
    acme: Acme, desk: ClockDesk, direct: Connector
) -> None:
    path = row_page(direct, "stop/")
    refusal(desk.post(path, {"reason": ""}))
    assert page(desk.send(path, reason="moved to agents")) == row_page(direct)
    row = fresh(acme, direct)
    assert (row.direct, row.settings, row.secret) == (False, {}, None)


def test_the_kind_is_kept_while_it_is_reached_directly(desk: ClockDesk, direct: Connector) -> None:
    text = unescape(refusal(desk.send(row_page(direct), kind="scim")))
    assert "Stop reaching this directory directly first" in text


@pytest.mark.parametrize(
    ("roles", "status"),
    [
        (["hybrid_identity_administrator"], 200),
        (["global_administrator"], 200),
        (["user_administrator"], 403),
        (["security_reader"], 403),
    ],
)
def test_it_takes_the_role_that_connects_directories(
    acme: Acme, direct: Connector, clock: Clock, roles: list[str], status: int
) -> None:
    desk = colleague(acme, clock, *roles)
    for more in ("direct/", "try/", "stop/"):
        assert desk.get(row_page(direct, more)).status_code == status
        if status == 403:
            assert desk.post(row_page(direct, more), GIVEN).status_code == 403


def test_another_tenants_directory_is_not_there(
    acme: Acme, beta: Beta, desk: ClockDesk, clock: Clock
) -> None:
    theirs = make_connector(beta)
    with clock.running():
        set_up(beta, theirs)
    for more in ("direct/", "try/", "stop/"):
        assert desk.get(row_page(theirs, more)).status_code == 404
        assert desk.post(row_page(theirs, more), {**GIVEN, "reason": "x"}).status_code == 404
    assert fresh(beta, theirs).direct
