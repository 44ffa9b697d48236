"""The servers and doubles the other tests lean on do what they promise."""

import smtplib
import uuid
from collections.abc import Callable
from email.message import EmailMessage

import httpx
import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType

from tenants.context import tenant_context
from tenants.models import Tenant
from tests.services import seeds
from tests.services.browser import MODES, PageFactory, Violation
from tests.services.http_sink import Answer, HttpSink
from tests.services.postgres import OWNER, RUNTIME
from tests.services.seeds import Seeds
from tests.services.session import database, shared_cluster, watcher
from tests.services.smtp import SmtpSink

BAD_PAGE = """<!doctype html><html lang="en"><title>Canary</title><main><h1>Canary</h1>
<button></button><img src="data:,"><input><p style="color:#bbb;background:#fff">pale</p></main>"""
GOOD_PAGE = """<!doctype html><html lang="en"><title>Good</title><main><h1>Good</h1>
<button>Go</button></main>"""


def test_axe_reports_a_bad_page_and_passes_a_good_one(
    page_factory: PageFactory, axe: Callable[..., list[Violation]]
) -> None:
    page = page_factory("desktop")

    page.set_content(GOOD_PAGE)
    assert axe(page) == []
    page.set_content(BAD_PAGE)
    found = {violation.rule for violation in axe(page)}

    assert {"button-name", "image-alt", "label", "color-contrast"} <= found


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_opens_a_page(mode: str, page_factory: PageFactory) -> None:
    page = page_factory(mode)

    page.set_content(GOOD_PAGE)

    assert page.get_by_role("button", name="Go").is_visible()


def test_a_page_error_is_a_fault_until_it_is_forgiven(page_factory: PageFactory) -> None:
    page = page_factory("desktop")

    page.evaluate("console.error('broken on purpose')")

    assert any("broken on purpose" in fault for fault in page_factory.faults)
    page_factory.forgive("broken on purpose")
    assert page_factory.faults == []


def test_the_mail_server_keeps_a_message_and_can_refuse(smtp_sink: SmtpSink) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@contoso.example", "b@contoso.example", "Grüße"
    mail.set_content("Hello")

    with smtplib.SMTP(smtp_sink.host, smtp_sink.port, timeout=5) as client:
        client.send_message(mail)
        smtp_sink.refuse_with = "550 no such mailbox"
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.send_message(mail)

    [kept] = smtp_sink.mails
    assert kept.recipients == ["b@contoso.example"]
    assert kept.message["Subject"] == "Grüße"


def test_the_provider_double_records_and_answers_in_turn(http_sink: HttpSink) -> None:
    http_sink.answer("/sms", Answer(503), Answer(201, b'{"id": 7}'))

    statuses = [httpx.post(f"{http_sink.url}/sms?a=1", json={"to": "x"}).status_code for _ in "123"]

    assert statuses == [503, 201, 201]
    assert http_sink.requests[0].json() == {"to": "x"}
    assert http_sink.requests[0].query == {"a": ["1"]}


def test_a_slow_provider_shows_as_a_timeout(http_sink: HttpSink) -> None:
    http_sink.answer("/sms", Answer(delay=30))

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{http_sink.url}/sms", timeout=0.2)


@pytest.mark.parametrize("role", [OWNER, RUNTIME])
def test_neither_role_of_the_product_passes_row_level_security(
    role: str, django_db_setup: None
) -> None:
    with psycopg.connect(shared_cluster().url(role, database())) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()

    assert row == (False, False)


@pytest.mark.django_db
def test_the_runtime_role_owns_no_table() -> None:
    with psycopg.connect(shared_cluster().url(RUNTIME, database())) as connection:
        owned = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tableowner = current_user"
        ).fetchall()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine (a int)")

    assert owned == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_a_test_commits_is_gone_before_the_next_and_the_seeds_are_back(turn: str) -> None:
    tenant_id = uuid.uuid4()

    # The slug is unique, so the second turn fails where the first one's row is still there.
    with tenant_context(tenant_id):
        Tenant.objects.create(id=tenant_id, slug="contoso", name=f"Contoso, {turn}")

    assert ContentType.objects.filter(app_label="tenants", model="tenant").exists()


@pytest.mark.parametrize("most", [0, seeds.MOST_BYTES])
def test_whatever_was_written_the_database_is_as_its_migrations_left_it(
    most: int, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "MOST_BYTES", most)
    fresh = Seeds.take(shared_cluster(), database())
    with shared_cluster().connect(database()) as connection:
        connection.execute("UPDATE django_content_type SET model = 'x' || model")
        connection.execute("DELETE FROM auth_permission")
        connection.execute("INSERT INTO auth_group (name) VALUES ('left behind')")
        connection.execute("SELECT nextval('auth_permission_id_seq')")
    left = Seeds.take(shared_cluster(), database())

    fresh.restore(watcher())

    assert left.rows.keys() != fresh.rows.keys()
    assert Seeds.take(shared_cluster(), database()) == fresh


def test_a_transaction_that_a_test_left_open_is_noticed(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "PATIENCE", "100ms")
    fresh = Seeds.take(shared_cluster(), database())
    with shared_cluster().connect(database()) as other:
        other.execute("INSERT INTO auth_group (name) VALUES ('committed')")
        with other.transaction(force_rollback=True):
            other.execute("INSERT INTO auth_group (name) VALUES ('not yet')")

            with pytest.raises(psycopg.errors.LockNotAvailable):
                fresh.restore(watcher())


def test_the_live_server_is_reached_by_name_from_a_browser(
    live_url: str, page_factory: PageFactory
) -> None:
    page = page_factory("desktop")

    response = page.goto(f"{live_url}/healthz")
    page_factory.forgive("/favicon.ico")  # not a page for people, so it links no icon

    assert live_url.startswith("http://localhost:")
    assert response is not None
    assert response.status == 200
