"""A mail server on loopback that keeps what it is given."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.services.ports import free_port


class Mail(NamedTuple):
    """One accepted message with the envelope it came in."""

    sender: str
    recipients: list[str]
    message: EmailMessage


class SmtpSink:
    """Accepts every message, or answers each recipient with `refuse_with` when that is set. Says
    that it takes several commands at once, as mail servers do."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuse_with: str | None = None
        self.says = ["250-PIPELINING"]
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    @property
    def url(self) -> str:
        """As the product's EMAIL_URL."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        return self._controller.port

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it by this name and shape
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *self.says, responses[-1]]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name and shape
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse_with is not None:
            return self.refuse_with
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = cast(bytes, envelope.content)
        message = message_from_bytes(content, policy=policy.default)
        recipients = [str(address) for address in envelope.rcpt_tos]
        self.mails.append(Mail(str(envelope.mail_from), recipients, message))
        return "250 OK"
