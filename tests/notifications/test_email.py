"""Mail over real SMTP on loopback."""

import smtplib
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

import pytest
from pytest_django import Settings

from notifications.channels.base import DeliveryFailed, OutgoingMessage
from notifications.channels.email import EmailChannel, failure, mail_of
from notifications.services import CodeSource, Recipient, drain
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.secret import Secret
from tests.notifications.post import ALICE, code_of, queue_code, queue_notice, reread, trail
from tests.services.ports import free_port
from tests.services.smtp import SmtpSink


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def a_message(now: datetime) -> OutgoingMessage:
    return OutgoingMessage(
        id=UUID(int=7),
        tenant="contoso",
        tenant_name="Contoso",
        channel="email",
        kind="code",
        language="en",
        created=now,
        to=Secret("alice@contoso.example"),
        subject="Hello",
        text="text",
        html="<p>text</p>",
        data={},
    )


def test_a_mail_arrives_as_text_and_html_under_the_tenants_name(
    tenant: Tenant, now: datetime, source: CodeSource, by_smtp: SmtpSink
) -> None:
    row = queue_code(tenant, now, source)

    drain(now)

    [(sender, recipients, mail)] = by_smtp.mails
    assert (sender, recipients) == ("no-reply@sspr.example", [ALICE.address])
    assert mail["From"].addresses[0].display_name == "Contoso"
    assert mail["From"].addresses[0].addr_spec == "no-reply@sspr.example"
    assert mail["To"] == ALICE.address
    assert mail["Subject"] == "Contoso account email verification code"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{row.id}@sspr.example>" == reread(row).provider_id
    assert mail["Date"].datetime == now
    for kind in ("plain", "html"):
        assert code_of(tenant, source) in body(mail, kind)
        assert "Alice" not in body(mail, kind)


def test_an_arabic_mail_is_marked_so(tenant: Tenant, now: datetime, by_smtp: SmtpSink) -> None:
    queue_notice(tenant, now, to=Recipient("alice@contoso.example", "ar"))

    drain(now)

    [(_, _, mail)] = by_smtp.mails
    assert mail["Content-Language"] == "ar"
    assert '<html lang="ar" dir="rtl">' in body(mail, "html")


@pytest.mark.parametrize("name", ["Müller & Söhne, „GmbH“", 'A "quoted" <name>', "شركة"])
def test_a_tenants_name_of_any_script_is_the_senders_name(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink, name: str
) -> None:
    with tenant_context(tenant.id):
        Tenant.objects.update(name=name)
    queue_notice(tenant, now)

    drain(now)

    [(_, _, mail)] = by_smtp.mails
    [address] = mail["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, "no-reply@sspr.example")
    assert name in mail["Subject"]


def test_a_line_break_in_a_tenants_name_adds_no_header(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink
) -> None:
    with tenant_context(tenant.id):
        Tenant.objects.update(name="Contoso\r\nBcc: eve@evil.example\r\n\r\nBody")
    queue_notice(tenant, now)

    drain(now)

    [(_, recipients, mail)] = by_smtp.mails
    assert recipients == [ALICE.address]
    assert mail["Bcc"] is None
    assert mail["From"].addresses[0].display_name == "Contoso Bcc: eve@evil.example Body"


@pytest.mark.parametrize(
    "address",
    [
        "alice@contoso.example\r\nBcc: eve@evil.example",
        "alice@contoso.example, eve@evil.example",
        "Alice <eve@evil.example>",
        "",
        "alice",
    ],
)
def test_an_address_that_is_more_or_less_than_one_is_refused(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink, address: str
) -> None:
    row = queue_notice(tenant, now, to=Recipient(address, "en"))

    drain(now)

    assert by_smtp.mails == []
    assert reread(row).state == "failed"
    assert reread(row).error in {"header_refused", "address_refused"}


@pytest.mark.parametrize("part", ["subject", "tenant_name"])
def test_a_header_with_a_line_break_is_never_built(now: datetime, part: str) -> None:
    bad = "x\r\nBcc: eve@evil.example"
    good = a_message(now)
    mail_of(good)

    with pytest.raises(DeliveryFailed) as refused:
        mail_of(replace(good, subject=bad) if part == "subject" else replace(good, tenant_name=bad))

    assert (refused.value.cause, refused.value.permanent) == ("header_refused", True)


@pytest.mark.parametrize(
    ("answer", "state", "cause"),
    [
        ("550 no such mailbox", "failed", "smtp_550"),
        ("451 try later", "queued", "smtp_451"),
    ],
)
def test_what_the_server_says_of_the_recipient_decides(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink, answer: str, state: str, cause: str
) -> None:
    row = queue_notice(tenant, now)
    by_smtp.refuse_with = answer

    drain(now)

    assert (reread(row).state, reread(row).error) == (state, cause)
    assert "mailbox" not in str(trail(tenant))


def test_one_refused_mail_does_not_stop_the_next(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink
) -> None:
    refused = queue_notice(tenant, now, to=Recipient("not an address", "en"))
    fine = queue_notice(tenant, now)

    assert drain(now) == 2

    assert (reread(refused).state, reread(fine).state) == ("failed", "sent")
    assert len(by_smtp.mails) == 1


def test_a_server_that_is_not_there_is_tried_again(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    row = queue_notice(tenant, now)

    drain(now)

    assert (reread(row).state, reread(row).error) == ("queued", "unreachable")


def test_one_run_uses_one_connection(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    connect = smtplib.SMTP.connect

    def counted(self: smtplib.SMTP, host: str = "", port: int = 0) -> tuple[int, bytes]:
        opened.append(self)
        return connect(self, host, port)

    monkeypatch.setattr(smtplib.SMTP, "connect", counted)
    for _ in range(3):
        queue_notice(tenant, now)

    drain(now)

    assert len(by_smtp.mails) == 3
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("problem", "cause", "permanent"),
    [
        (smtplib.SMTPDataError(554, b"alice is spam"), "smtp_554", True),
        (smtplib.SMTPDataError(452, b"full"), "smtp_452", False),
        (smtplib.SMTPSenderRefused(550, b"who", "no-reply"), "smtp_550", False),
        (smtplib.SMTPAuthenticationError(535, b"no"), "smtp_535", False),
        (smtplib.SMTPServerDisconnected("gone"), "smtp", False),
        (TimeoutError("slow"), "timeout", False),
        (ConnectionRefusedError("alice"), "unreachable", False),
        (ValueError("alice"), "address_refused", True),
    ],
)
def test_only_what_is_said_of_this_mail_is_final(
    problem: Exception, cause: str, permanent: bool
) -> None:
    found = failure(problem)

    assert (found.cause, found.permanent) == (cause, permanent)
    assert "alice" not in str(found)


def test_closing_twice_or_unopened_is_harmless() -> None:
    channel = EmailChannel()

    channel.close()
    channel.close()
