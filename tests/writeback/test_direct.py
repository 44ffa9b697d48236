"""Setting up that the product reaches a directory itself, and its own agent there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tenants.config.engine import export_tenant
from tenants.heartbeat import WORKER, beat
from tenants.invalid import Invalid
from tenants.keys import SealBroken
from tenants.models import Heartbeat
from tenants.secret import Secret
from tests.cast import PASSWORD, Acme, Beta
from tests.resets.visitor import Clock
from tests.tenants.config.files import apply
from tests.writeback.admin.desk import events
from tests.writeback.directly import (
    HOST,
    PLACE,
    SECRET,
    TEXT,
    WANTED,
    fresh,
    own_agent,
    scripted,
    set_up,
)
from tests.writeback.drilling import CANARY, name_canary
from tests.writeback.field import (
    ADMIN,
    SIGNER,
    FieldAgent,
    keep_signer_at_work,
    link,
    make_connector,
    sign_what_waits,
)
from tests.writeback.orders import order
from tests.writeback.scripted import away
from writeback.connectors.base import Rights
from writeback.connectors.settings import SettingWrong
from writeback.models import Agent, AgentKey, Begun, Connector, JobEnvelope
from writeback.own import find_own_key, is_ours, own_identity, own_key, public_identity
from writeback.protocol import key_id, read_envelope
from writeback.services import enrolment
from writeback.services.connectors import ConnectorSettings, change_connector
from writeback.services.direct import (
    find_own_agents,
    keep_keys,
    reach,
    set_direct,
    stop_direct,
    try_direct,
)
from writeback.services.states import state_of_directory

pytestmark = pytest.mark.django_db
ANCHOR = "6f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01"


@pytest.fixture(autouse=True)
def _hosts(settings: Any, clock: Clock) -> Any:
    settings.SSPR_DIRECT_HOSTS = [HOST]
    with clock.running():
        yield


@pytest.fixture
def direct(acme: Acme, connector: Connector) -> Connector:
    set_up(acme, connector)
    return fresh(acme, connector)


def refusal_of(acme: Acme, connector: Connector, **changes: Any) -> tuple[str, str]:
    """The field and the fix of a setting up that is refused."""
    secret = changes.pop("secret", SECRET)
    with pytest.raises(Invalid) as caught:
        set_up(acme, connector, replace(WANTED, **changes), secret)
    [problem] = caught.value.problems
    return problem.field, problem.fix


class TestSettingUp:
    def test_makes_an_agent_that_jobs_are_sealed_to_and_signed_for(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        link(acme, acme.bob, direct, ANCHOR)
        [job] = order(acme, acme.bob, clock.now)
        with acme.inside():
            [envelope] = JobEnvelope.objects.all()
        signers = {key_id(SIGNER.public_key()): SIGNER.public_key()}
        found = read_envelope(bytes(envelope.signed), signers, clock.now)
        key = find_own_key(acme.id, direct.pk, found.job.key, clock.now)
        assert key is not None
        assert (found.job.id, found.open(key).old) == (job.pk, PASSWORD)

    def test_leaves_one_line_with_the_names_of_what_was_changed(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        for per_hour, secret, names in (
            (60, "", ()),
            (5, "", ("per_hour",)),
            (5, "Another 7", ("secret",)),
        ):
            clock.shift(seconds=1)
            with clock.running():
                assert set_up(acme, direct, replace(WANTED, per_hour=per_hour), secret) == names
        made, changed, rotated = events(acme, "connector.direct_set")
        every = ["settings", "places", "per_hour", "burst", "secret"]
        assert made.data == {"connector": direct.name, "fields": every}
        assert changed.data["fields"] == ["per_hour"]
        assert rotated.data["fields"] == ["secret"]
        assert made.actor_label == ADMIN.label

    def test_the_secret_is_sealed_and_stays_when_none_is_given(
        self, acme: Acme, direct: Connector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        directory: Any = scripted(monkeypatch)
        for wanted, secret, expected in (
            (WANTED, "", SECRET),
            (replace(WANTED, places=(PLACE, "OU=Other,DC=x")), "", SECRET),
            (WANTED, "Another 7", "Another 7"),
        ):
            set_up(acme, direct, wanted, secret)
            row = fresh(acme, direct)
            with acme.inside():
                reach(row)
            assert directory.secret() == expected
            assert expected.encode() not in bytes(row.secret or b"")
            assert expected not in str(row.settings)

    def test_settings_that_were_written_by_hand_open_no_secret(
        self, acme: Acme, direct: Connector
    ) -> None:
        by_hand = {**direct.settings, "places": ["DC=com"]}
        for change in ({"settings": by_hand}, {"kind": "openldap"}, {"secret": b"\x01\x01"}):
            with acme.inside():
                Connector.objects.filter(pk=direct.pk).update(**change)
            row = fresh(acme, direct)
            with acme.inside(), pytest.raises(SealBroken):
                reach(row)
            assert refusal_of(acme, row, per_hour=3, secret="")[0] == "secret"
            with acme.inside():
                direct.save()

    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("settings", {"settings": TEXT.replace(HOST, "10.0.0.5")}),
            ("settings", {"settings": f'{TEXT}ca_file = "/etc/ssl/ca.pem"'}),
            ("settings", {"settings": "servers ="}),
            ("settings", {"settings": TEXT.replace("base", "bass")}),
            ("places", {"places": ()}),
            ("places", {"places": ("Staff",)}),
            ("secret", {"secret": ""}),
        ],
    )
    def test_what_can_not_be_right_is_told_at_its_field(
        self, acme: Acme, connector: Connector, field: str, changes: dict[str, Any]
    ) -> None:
        assert refusal_of(acme, connector, **changes)[0] == field
        assert not fresh(acme, connector).direct
        with acme.inside():
            assert not Agent.objects.exists()

    def test_a_host_that_is_allowed_no_more_is_reached_no_more(
        self, acme: Acme, direct: Connector, settings: Any
    ) -> None:
        settings.SSPR_DIRECT_HOSTS = []
        with acme.inside(), pytest.raises(SettingWrong):
            reach(direct)
        with acme.inside():
            assert try_direct(direct, datetime.now(UTC)).trouble == "configuration"  # noqa: TID251

    def test_the_kind_stays_while_it_is_reached_directly(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        wanted = ConnectorSettings(direct.name, "scim")
        with acme.inside(), pytest.raises(Invalid, match="Stop reaching this directory directly"):
            change_connector(direct, wanted, by=ADMIN, now=clock.now)

    def test_policy_as_code_neither_shows_nor_loses_it(self, acme: Acme, direct: Connector) -> None:
        text = export_tenant(acme.tenant.slug)
        assert direct.name in text
        for hidden in (HOST, SECRET, "direct ", "places"):
            assert hidden not in text
        kind = 'kind = "active_directory"'
        switched_off = text.replace(f"{kind}\nenabled = true", f"{kind}\nenabled = false")
        assert apply(switched_off).problems == ()
        row = fresh(acme, direct)
        assert (row.direct, row.enabled, row.settings) == (True, False, direct.settings)
        assert bytes(row.secret or b"") == bytes(direct.secret or b"")


class TestItsAgent:
    def test_is_another_one_in_every_directory_and_tenant(self, acme: Acme, beta: Beta) -> None:
        one, other = make_connector(acme), make_connector(acme, "Branch")
        found = {
            public_identity(tenant, row.pk) for tenant in (acme.id, beta.id) for row in (one, other)
        }
        assert len(found) == 4

    def test_can_not_call_be_confirmed_or_revoked(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        row = own_agent(acme, direct)
        caller = FieldAgent(clock)
        caller.id, caller.identity = str(row.pk), own_identity(acme.id, direct.pk)
        assert caller.beat().body == {"error": "unknown"}
        assert caller.call("jobs/next", {"wait": 0}).status == 401
        for act in (enrolment.confirm, enrolment.revoke):
            with acme.inside(), pytest.raises(enrolment.WrongState):
                act(row.pk, ADMIN, clock.now)

    def test_is_ours_only_with_mark_seal_and_identity(self, acme: Acme, direct: Connector) -> None:
        row = own_agent(acme, direct)
        with acme.inside():
            assert is_ours(row)
            for name, value in (("own", False), ("seal", bytes(32)), ("identity", bytes(32))):
                forged = own_agent(acme, direct)
                setattr(forged, name, value)
                assert not is_ours(forged)

    def test_has_a_key_for_today_and_tomorrow_and_none_that_is_over(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        for days in (0, 1, 1, 5):
            clock.shift(days=days)
            keep_keys(clock.now)
            with acme.inside():
                rows = list(AgentKey.objects.order_by("begins"))
            current = [row for row in rows if row.begins <= clock.now < row.ends]
            assert current
            assert rows[-1].begins > clock.now
            assert all(row.ends > clock.now for row in rows)
        assert keep_keys(clock.now) == 0

    def test_the_key_of_yesterday_opens_what_was_sealed_before_midnight(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        today = clock.now.date()
        for days, is_found in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
            day = today + timedelta(days=days)
            name = key_id(own_key(acme.id, direct.pk, day).public_key())
            found = find_own_key(acme.id, direct.pk, name, clock.now)
            assert (found is not None) is is_found

    def test_is_found_in_an_active_tenant_alone(self, acme: Acme, direct: Connector) -> None:
        with acme.inside():
            assert [agent.connector_id for agent in find_own_agents()] == [direct.pk]
            acme.tenant.active = False
            acme.tenant.save()
            assert find_own_agents() == []

    def test_is_there_while_the_worker_is(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        keep_signer_at_work()
        for passed, expected in ((0, "healthy"), (70, "healthy"), (10, "disconnected")):
            if not passed:
                beat(clock.now, WORKER)
            clock.shift(seconds=passed)
            with acme.inside():
                assert state_of_directory(direct.pk, clock.now) == expected
        Heartbeat.objects.filter(name=WORKER).delete()
        with acme.inside():
            assert state_of_directory(direct.pk, clock.now) != "healthy"


class TestStopping:
    def test_forgets_settings_secret_keys_and_what_was_sealed(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        link(acme, acme.bob, direct, ANCHOR)
        order(acme, acme.bob, clock.now)
        with acme.inside():
            Begun.objects.create(connector=direct, job=UUID(int=7), sequence=1, at=1)
            stop_direct(direct, "moved to agents", by=ADMIN, now=clock.now)
            assert not AgentKey.objects.exists()
            assert not JobEnvelope.objects.exists()
            assert not Begun.objects.filter(settled_at=None).exists()
            assert find_own_agents() == []
        row = fresh(acme, direct)
        assert (row.direct, row.settings, row.secret) == (False, {}, None)
        [line] = events(acme, "connector.direct_stopped")
        assert (line.reason, line.data) == ("moved to agents", {"connector": direct.name})
        with acme.inside(), pytest.raises(Invalid):
            stop_direct(direct, "again", by=ADMIN, now=clock.now)

    def test_it_can_be_set_up_again_and_needs_its_secret_anew(
        self, acme: Acme, direct: Connector, clock: Clock
    ) -> None:
        before = own_agent(acme, direct)
        with acme.inside():
            stop_direct(direct, "moved", by=ADMIN, now=clock.now)
        assert refusal_of(acme, direct, secret="")[0] == "secret"
        set_up(acme, direct)
        assert own_agent(acme, direct).pk == before.pk
        with acme.inside():
            assert len(find_own_agents()) == 1


class TestTrying:
    def test_tells_and_keeps_what_was_found(
        self, acme: Acme, direct: Connector, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        directory = scripted(monkeypatch)
        with acme.inside():
            assert try_direct(direct, clock.now).state == "ok"
        row = fresh(acme, direct)
        assert (row.directory_state, row.trouble, row.reported_at) == ("ok", "", clock.now)
        assert (row.rules or {})["min_length"] == 10

        directory.plan["connect"] = [away()]
        with acme.inside():
            assert try_direct(row, clock.now).trouble == "unreachable"
        assert fresh(acme, direct).directory_state == "unreachable"

    def test_looks_up_the_rights_over_the_account_for_drills(
        self, acme: Acme, direct: Connector, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        directory = scripted(monkeypatch)
        name_canary(acme, direct, directory.person.anchor)
        directory.rights = Rights(reset=False, unlock=False, must_change=False)
        with acme.inside():
            assert try_direct(direct, clock.now).trouble == "account"
            # One that was written by hand is looked up nowhere.
            Connector.objects.update(canary=CANARY)
        with acme.inside():
            assert try_direct(fresh(acme, direct), clock.now).state == "ok"


def test_nothing_is_told_of_another_tenants_directory(
    acme: Acme, beta: Beta, connector: Connector
) -> None:
    with beta.inside(), pytest.raises(Connector.DoesNotExist):
        set_direct(
            connector, WANTED, Secret(SECRET), by=ADMIN, now=datetime(2026, 1, 1, tzinfo=UTC)
        )


def test_whoever_can_write_the_rows_makes_no_agent_of_ours(
    acme: Acme, direct: Connector, clock: Clock
) -> None:
    link(acme, acme.bob, direct, ANCHOR)
    with acme.inside():
        Agent.objects.update(seal=bytes(32))
    order(acme, acme.bob, clock.now, signed=False)
    with acme.inside():
        assert not JobEnvelope.objects.exists()
    sign_what_waits(clock.now)
