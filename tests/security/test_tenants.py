"""A-081 to A-083 and A-090 to A-092: what crosses from one tenant into another is nothing."""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from uuid import UUID, uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import models
from psycopg import sql

from accounts.models import User
from resets.models import Flow
from tenants.checks import walled_tables
from tenants.models import Tenant
from tenants.scoping import tenant_models
from tests.cast import ALICE_EMAIL, CANARY, NEW_PASSWORD, PASSWORD, Acme, Beta
from tests.isolation.addresses import Address, addresses
from tests.isolation.answers import seen, shows_any
from tests.isolation.catalogue import problems
from tests.isolation.probes import GIFTS, copied
from tests.isolation.rows import make_rows
from tests.isolation.test_addresses import METHODS, REFUSALS, likeliest, parametrized, path_of
from tests.security.lab.client import FLOW_COOKIE
from tests.security.lab.compare import assert_uniform
from tests.security.lab.lab import Lab
from tests.security.lab.server import SHARED_HOST
from tests.security.tenants_lab import (
    Administrator,
    Caller,
    CarelessCommand,
    Site,
    furnished,  # noqa: F401 - a fixture
    kill_one,
    own_backend,
)
from tests.services.ports import wait_until
from tests.services.postgres import RUNTIME
from tests.services.session import database, shared_cluster


def test_a081_only_the_alice_of_the_asked_host_changes(lab: Lab) -> None:
    """Both tenants have an alice; that beta's rows stayed the same is checked after every case."""
    assert lab.beta.alice.user_id.partition("@")[0] == lab.acme.alice.user_id.partition("@")[0]
    browser = lab.begun(lab.acme.alice.user_id)

    browser.choose("app_code")
    browser.verify(lab.app_code(lab.acme.alice))
    browser.choose("email", ALICE_EMAIL)
    browser.verify(lab.code())
    browser.submit(NEW_PASSWORD)

    assert browser.state == "done"
    assert lab.password_is(lab.acme.alice, NEW_PASSWORD)
    with lab.beta.inside():
        lab.beta.alice.refresh_from_db()
        assert lab.beta.alice.check_password(PASSWORD)


@pytest.mark.parametrize("typed", ["alice@beta.example", "ALICE@BETA.EXAMPLE"])
def test_a081_the_other_tenants_alice_is_nobody_here(typed: str, lab: Lab) -> None:
    stranger, nobody = lab.begun(typed), lab.begun("aline@beta.example")

    assert_uniform(stranger.walk, nobody.walk, typed=[typed, "aline@beta.example"])
    with lab.acme.inside():
        assert set(Flow.objects.values_list("user", flat=True)) == {None}


@pytest.mark.parametrize("host", ["acme.sspr.test", SHARED_HOST])
def test_a082_every_address_with_beta_ids_is_answered_like_a_random_id(
    host: str, site: Site
) -> None:
    administrator = site.administrator()
    journey = site.lab.begun(site.acme.bob.user_id)
    administrator.browser.host = host
    administrator.browser.cookies[FLOW_COOKIE] = journey.cookies[FLOW_COOKIE]

    told = [
        (method, address.template)
        for address in parametrized()
        for method in METHODS
        if tells(site, administrator, method, address)
    ]

    assert told == []
    assert administrator.get("/admin/accounts/user/").status_code == 200


def tells(site: Site, administrator: Administrator, method: str, address: Address) -> bool:
    """Whether the answer to beta's id differs from that to an id nobody has."""
    theirs, nobodys, nowhere = likeliest(site, address), uuid4(), uuid4()
    about_them = administrator.ask(method, path_of(address, theirs, site.lab.beta.id))
    about_nobody = administrator.ask(method, path_of(address, nobodys, nowhere))
    found = seen(about_them, theirs, site.lab.beta.id)
    unknown = seen(about_nobody, nobodys, nowhere)
    leaked = shows_any(found.text, site.foreign)
    return found != unknown or unknown.status not in REFUSALS or bool(leaked)


def named_by_hand(lab: Lab) -> dict[str, str]:
    """Headers in which somebody claims to be at another tenant."""
    beta = str(lab.beta.id)
    return {
        "X-Tenant-ID": beta,
        "X-Tenant": "beta",
        "X-Forwarded-Host": lab.beta.host,
        "X-Original-Host": lab.beta.host,
        "Forwarded": f"host={lab.beta.host}",
        "X-Host": lab.beta.host,
    }


def test_a083_a_tenant_named_by_hand_is_ignored_when_a_journey_starts(lab: Lab) -> None:
    browser = lab.browser()
    browser.headers |= named_by_hand(lab)
    browser.cookies["tenant"] = str(lab.beta.id)

    fields = {"user_id": lab.acme.bob.user_id, **browser.admission("/reset/?tenant=beta")}
    answer = browser.post("/reset/?tenant=beta&tenant_id=beta", fields)

    assert answer.status == 303
    with lab.acme.inside():
        [flow] = Flow.objects.all()
        assert (flow.user_id, flow.tenant_id) == (lab.acme.bob.pk, lab.acme.id)


@pytest.mark.parametrize("name", ["tenant", "tenant_id", "host_tenant", "X-Tenant-ID"])
def test_a083_a_tenant_in_the_form_is_refused(name: str, lab: Lab) -> None:
    browser = lab.browser()
    fields = {"user_id": lab.acme.bob.user_id, **browser.admission("/reset/")}

    answer = browser.post("/reset/", {**fields, name: str(lab.beta.id)})

    assert answer.status == 400
    with lab.acme.inside():
        assert not Flow.objects.exists()


@pytest.mark.parametrize("path", ["/", "/reset/", "/help/"])
def test_a083_a_page_is_the_hosts_whatever_else_is_claimed(path: str, lab: Lab) -> None:
    plain, claiming = lab.browser(), lab.browser()
    claiming.headers |= named_by_hand(lab)

    assert_uniform(plain.get(path), claiming.get(path))
    assert "Acme" in claiming.page.text


def test_a083_the_administration_is_the_sessions_whatever_else_is_claimed(site: Site) -> None:
    administrator, page = site.administrator(), "/admin/accounts/user/"
    expected = seen(administrator.get(page))

    administrator.browser.headers |= named_by_hand(site.lab)

    assert seen(administrator.get(page)) == expected
    for name in ("tenant", "tenant_id", "tenant__slug", "tenant__id__exact"):
        assert administrator.get(page, {name: str(site.lab.beta.id)}).status_code == 400


@pytest.mark.parametrize("cookie", ["__Host-sspr_session", FLOW_COOKIE])
def test_a083_a_cookie_that_names_the_other_tenant_opens_nothing(cookie: str, site: Site) -> None:
    """The part of a cookie that says whose it is proves nothing without the part that is secret."""
    administrator = site.administrator()
    browser = site.lab.begun(site.lab.acme.bob.user_id)
    browser.cookies |= administrator.browser.cookies
    secret = browser.cookies[cookie].partition(".")[2]
    paths = {FLOW_COOKIE: browser.flow_path}
    assert browser.get(paths.get(cookie, "/admin/")).status == 200

    browser.cookies[cookie] = f"{site.lab.beta.id.hex}.{secret}"
    theirs = {FLOW_COOKIE: f"/reset/{site.theirs[Flow][0]}/"}

    for path in (paths.get(cookie, "/admin/"), theirs.get(cookie, "/admin/accounts/user/")):
        assert browser.request("GET", path).status in {302, 401}


@pytest.fixture
def runtime(transactional_db: None) -> psycopg.Connection:
    return psycopg.connect(shared_cluster().url(RUNTIME, database()))


def counts(opened: psycopg.Connection, whose: UUID) -> dict[str, int]:
    """How many rows of a tenant each table shows."""
    found = {}
    for table, column in walled_tables().items():
        names = sql.Identifier(table), sql.Identifier(column)
        query = sql.SQL("SELECT count(*) FROM {} WHERE {} = %s").format(*names)
        row = opened.execute(query, [whose]).fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def test_a090_the_database_itself_keeps_tenants_apart(
    acme: Acme, beta: Beta, runtime: psycopg.Connection
) -> None:
    for organisation in (acme, beta):
        with organisation.inside():
            make_rows(organisation)
    nothing = dict.fromkeys(walled_tables(), 0)

    with runtime, runtime.cursor() as cursor:
        assert problems(cursor) == []
        assert counts(runtime, acme.id) == counts(runtime, beta.id) == nothing
        runtime.execute("SELECT set_config('app.tenant', %s, true)", [str(acme.id)])
        assert counts(runtime, beta.id) == nothing
        assert all(counts(runtime, acme.id).values())
        every: list[type[models.Model]] = [Tenant, *tenant_models()]
        for model in every:
            table = model._meta.db_table
            names, values = copied(model, walled_tables()[table])
            statement = GIFTS["make theirs"].format(t=table, names=names, values=values)
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
                runtime.transaction(),
            ):
                runtime.execute(statement.replace("$2", "%s").encode(), [beta.id])


REQUESTS = int(os.environ.get("SSPR_MIXED_REQUESTS", "5000"))
CALLERS = 200
KILL_EVERY = 100  # requests: one in a hundred meets a connection that was killed


def test_a091_thousands_of_mixed_requests_at_once_never_cross(lab: Lab) -> None:
    """Every page says whose it is; connections are shared and some are killed on the way."""
    lab.expect_5xx()
    hosts = {lab.acme.host: "Acme", lab.beta.host: CANARY, SHARED_HOST: ""}
    gate, place = Barrier(CALLERS), count()
    killed: list[bool] = []
    spared = own_backend()

    def call(number: int) -> list[tuple[str, int, str, str]]:
        caller, found = Caller(lab.server.port), []
        gate.wait(timeout=60)
        for step in range(REQUESTS // CALLERS):
            host = list(hosts)[(number + step) % len(hosts)]
            # The second asks the database each time, the first shows what is kept for a moment.
            path = "/" if step % 2 else "/admin/login/"
            found.append((host, *caller.get(host, path), path))
            if next(place) % KILL_EVERY == KILL_EVERY - 1:
                killed.append(kill_one(spared))
        caller.close()
        return found

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = [answer for found in pool.map(call, range(CALLERS)) for answer in found]

    assert len(answers) == REQUESTS
    assert sum(killed) >= REQUESTS // KILL_EVERY // 2
    failed = [status for _, status, _, _ in answers if status != 200]
    assert set(failed) <= {500, 503}
    assert len(failed) <= len(killed)
    crossed = [
        (host, name)
        for host, status, text, _ in answers
        if status == 200
        for name in ("Acme", CANARY)
        if name in text and hosts[host] != name
    ]
    assert crossed == []
    own = [
        hosts[host] in text for host, status, text, path in answers if (status, path) == (200, "/")
    ]
    assert own.count(True) == len(own) > 0
    # The next case finds no connection that was killed here.
    wait_until(lambda: all_answer(lab), "whole connections")


def all_answer(lab: Lab) -> bool:
    caller = Caller(lab.server.port)
    statuses = {caller.get(lab.acme.host, "/admin/login/")[0] for _ in range(CALLERS)}
    caller.close()
    return statuses == {200}


def listed(organisation: Acme | Beta) -> Sequence[str]:
    with organisation.inside():
        return list(User.objects.order_by("user_id").values_list("user_id", flat=True))


@pytest.mark.django_db
def test_a092_a_careless_command_works_in_its_own_tenant_alone(acme: Acme, beta: Beta) -> None:
    told: str = call_command(CarelessCommand(), tenant=acme.id, stdout=io.StringIO())

    assert told.splitlines() == listed(acme)
    with beta.inside():
        assert not User.objects.filter(display_name="seen by the command").exists()
        assert User.objects.count() == 2
    with acme.inside():
        assert set(User.objects.values_list("display_name", flat=True)) == {"seen by the command"}


def test_the_map_of_addresses_is_the_running_ones(lab: Lab) -> None:
    """The map is read in this process; the server has the same addresses."""
    browser = lab.browser()
    statuses = {
        a.template: browser.get(a.path).status
        for a in addresses()
        # The operators' site is on no organisation's host, and nobody set a token for the counts.
        if not a.parameters and not a.template.startswith(("/operator/", "/metrics"))
    }

    assert [path for path, status in statuses.items() if status == 404] == []
