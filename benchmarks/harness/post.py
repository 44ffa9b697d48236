"""A mail server on loopback that keeps what it gets, in the client's process."""

import asyncio
import re
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Self

from tests.services.ports import free_port

_ADDRESS = re.compile(rb"<([^>]*)>")


class NoMail(RuntimeError):
    """What was waited for did not come."""


@dataclass(frozen=True)
class Mail:
    """One accepted mail. Read only when somebody asks for it: what is measured at the moment it
    comes shares the processors with whoever reads it."""

    raw: bytes

    def find(self, pattern: str) -> str:
        """The first group of `pattern` in the plain text. Raises NoMail."""
        message = message_from_bytes(self.raw, policy=policy.default)
        body = message.get_body(("plain",))
        match = re.search(pattern, body.get_content() if body is not None else "")
        if match is None:
            raise NoMail(f"not the mail that was waited for: {message['Subject']}")
        return match[1]


class MailSink:
    """Answers every command with yes. `delay` seconds pass before each mail is accepted."""

    def __init__(self) -> None:
        self.port = free_port()
        self.delay = 0.0
        self.recipients: dict[str, int] = {}
        self._mails: dict[str, list[Mail]] = {}
        self._arrived = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """As the product's EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def take(self, address: str, pattern: str, seconds: float = 30) -> str:
        """The first group of `pattern` in the newest mail to this address, which is forgotten.
        Raises NoMail."""

        def found() -> bool:
            return bool(self._mails.get(address))

        with self._arrived:
            if not self._arrived.wait_for(found, seconds):
                raise NoMail(f"no mail to {address} within {seconds} s")
            mail = self._mails.pop(address)[-1]
        return mail.find(pattern)

    def clear(self) -> None:
        with self._arrived:
            self._mails.clear()
            self.recipients.clear()

    def __enter__(self) -> Self:
        started = threading.Event()
        self._loop.call_soon(started.set)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._talk, "127.0.0.1", self.port)
        )
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        to: list[str] = []
        while line := await reader.readline():
            command = line[:4].upper()
            if command == b"EHLO":
                # As every mail server in use says.
                writer.write(b"250-sink\r\n250-PIPELINING\r\n")
            if command == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            if command == b"RCPT":
                match = _ADDRESS.search(line)
                to.append(match[1].decode() if match else "")
            if command == b"DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                if self.delay:
                    await asyncio.sleep(self.delay)
                self._keep(to, raw[:-3])
                to = []
            writer.write(b"250 sink\r\n")
        await writer.drain()
        writer.close()

    def _keep(self, to: list[str], raw: bytes) -> None:
        with self._arrived:
            for address in to:
                self.recipients[address] = self.recipients.get(address, 0) + 1
                self._mails.setdefault(address, []).append(Mail(raw))
            self._arrived.notify_all()
