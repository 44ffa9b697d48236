"""Mail by SMTP, under the tenant's name, as text and HTML."""

import smtplib
from contextlib import suppress
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from .base import Delivery, DeliveryFailed, OutgoingMessage, refuse_line_breaks

_CAUSES = (
    (TimeoutError, "timeout"),
    (smtplib.SMTPException, "smtp"),
    (OSError, "unreachable"),
)


class EmailChannel:
    """Keeps one connection for a run over the queue; after a failure the next one is fresh."""

    def __init__(self) -> None:
        self._connection: Any = None

    def send(self, message: OutgoingMessage) -> Delivery:
        mail = mail_of(message)
        try:
            self._open().send_messages([mail])
        except DeliveryFailed:
            raise
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            self.close()
            # The server's answer quotes the address; only our word for it goes on.
            raise failure(problem) from None
        return Delivery(str(mail.extra_headers["Message-ID"]))

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                connection.close()

    def _open(self) -> Any:
        if self._connection is None:
            connection = get_connection(fail_silently=False)
            connection.open()
            self._connection = connection
        return self._connection


def mail_of(message: OutgoingMessage) -> EmailMultiAlternatives:
    """The mail for a message. Raises DeliveryFailed where a header would break."""
    to = message.to.reveal()
    refuse_line_breaks(to, message.subject, message.tenant_name)
    if "@" not in to or any(mark in to for mark in " ,;<>\"'()[]\\"):
        raise DeliveryFailed("address_refused", permanent=True)
    sender = parseaddr(settings.SSPR_MAIL_FROM)[1]
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=str(Address(display_name=message.tenant_name, addr_spec=sender)),
        to=[to],
        headers={
            # From the row, so that a mail that was sent twice is recognised as one.
            "Message-ID": f"<{message.id}@{sender.rpartition('@')[2]}>",
            "Date": format_datetime(message.created),
            "Auto-Submitted": "auto-generated",
            "Content-Language": message.language,
        },
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    return mail


def failure(problem: Exception) -> DeliveryFailed:
    """What an SMTP problem means. Only what the server says about this recipient or this mail is
    final; whatever an operator can mend (sender, sign-in, network) is tried again."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        status = next((code for code, _ in problem.recipients.values()), 0)
        return DeliveryFailed(f"smtp_{status}", permanent=status >= 500)
    if isinstance(problem, smtplib.SMTPResponseException):
        final = isinstance(problem, smtplib.SMTPDataError) and problem.smtp_code >= 500
        return DeliveryFailed(f"smtp_{problem.smtp_code}", permanent=final)
    for kind, cause in _CAUSES:
        if isinstance(problem, kind):
            return DeliveryFailed(cause, permanent=False)
    return DeliveryFailed("address_refused", permanent=True)
