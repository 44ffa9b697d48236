"""Mail by SMTP, under the tenant's name, as text and HTML."""

import smtplib
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime, parseaddr
from functools import cache
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

from .base import Delivery, DeliveryFailed, OutgoingMessage, refuse_line_breaks
from .mime import mail_bytes, mailbox, words
from .smtp import hand_over

TRUSTED_SECONDS = 1.0
"""A connection that rested longer is asked whether the server is still there."""
_CLOSING = 421
_CAUSES = (
    (TimeoutError, "timeout"),
    (smtplib.SMTPException, "smtp"),
    (OSError, "unreachable"),
)


@dataclass(frozen=True)
class Mail:
    """A mail with its envelope, made once and not parsed again on its way."""

    id: str
    sender: str
    to: str
    content: bytes = field(repr=False)


class EmailChannel:
    """Keeps one connection from mail to mail; after a failure the next one is fresh."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._used_at = 0.0

    def send(self, message: OutgoingMessage) -> Delivery:
        try:
            mail = mail_of(message)
            self._hand_over(mail)
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            self.close()
            # The server's answer quotes the address; only our word for it goes on.
            raise failure(problem) from None
        self._used_at = monotonic()
        return Delivery(mail.id)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                connection.close()

    def _hand_over(self, mail: Mail) -> None:
        if self._connection is not None and not self._answers():
            self.close()
        is_kept = self._connection is not None
        try:
            self._send(mail)
        except smtplib.SMTPSenderRefused as refused:
            # A server that has had enough of a connection says so before it takes the next mail.
            if not is_kept or refused.smtp_code != _CLOSING:
                raise
            self.close()
            self._send(mail)

    def _answers(self) -> bool:
        if monotonic() - self._used_at < TRUSTED_SECONDS:
            return True
        server = getattr(self._connection, "connection", None)
        try:
            return server is None or server.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def _send(self, mail: Mail) -> None:
        if self._connection is None:
            connection = get_connection(fail_silently=False)
            connection.open()
            self._connection = connection
        if isinstance(self._connection, SmtpBackend):
            # Django opens the connection and signs in; the mail is ready as it is.
            server: Any = self._connection.connection
            hand_over(server, mail.sender, mail.to, mail.content)
        else:
            self._connection.send_messages([_Ready(mail)])


class _Ready(EmailMessage):
    """A mail for Django's other ways of sending: the console, files, the outbox of tests."""

    def __init__(self, mail: Mail) -> None:
        super().__init__(from_email=mail.sender, to=[mail.to])
        self._content = mail.content

    def message(self, **_: Any) -> Any:
        found: Message = message_from_bytes(self._content)
        return found


def mail_of(message: OutgoingMessage) -> Mail:
    """The mail for a message. Raises DeliveryFailed where a header would break, and ValueError for
    an address that can't be written in ASCII."""
    to = message.to.reveal()
    refuse_line_breaks(to, message.subject, message.tenant_name)
    if "@" not in to or any(mark in to for mark in " ,;<>\"'()[]\\"):
        raise DeliveryFailed("address_refused", permanent=True)
    to = _in_ascii(to)
    sender = _address_in(settings.SSPR_MAIL_FROM)
    # From the row, so that a mail that was sent twice is recognised as one.
    name = f"<{message.id}@{sender.rpartition('@')[2]}>"
    headers = {
        "Subject": words(message.subject),
        "From": mailbox(message.tenant_name, sender),
        "To": to,
        "Message-ID": name,
        "Date": format_datetime(message.created),
        "Auto-Submitted": "auto-generated",
        "Content-Language": message.language,
    }
    content = mail_bytes(headers, message.text, message.html, message.id.hex)
    return Mail(name, sender, to, content)


@cache
def _address_in(sender: str) -> str:
    return parseaddr(sender)[1]


def _in_ascii(address: str) -> str:
    """The address with its domain as the name service knows it. Raises ValueError."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    local.encode("ascii")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


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
