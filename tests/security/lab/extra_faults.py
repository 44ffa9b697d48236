"""What breaks: an answer that is cut on its way, a worker that is killed, mail that is not taken.

with CuttingProxy(server.port) as proxy:      # between the browser and the server
    proxy.cut("/verify/", kill_worker)        # the next answer to it never arrives
"""

import asyncio
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event, Thread
from typing import Self

from aiosmtpd.smtp import SMTP, Envelope, Session
from django_otp.oath import TOTP

from tests.services.ports import wait_until
from tests.services.server import ServerProcess
from tests.services.smtp import Mail, SmtpSink

_CODE = re.compile(r"\b\d{6}\b")
PIECE = 65_536


class CuttingProxy:
    """A wire to a server that, once told to, swallows one answer."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._path = b""
        self._then: Callable[[], None] = lambda: None
        self.was_cut = Event()

    def cut(self, path: str, then: Callable[[], None]) -> None:
        """The answer to the next request whose address ends like this gets lost; at that moment,
        when the server is through with it, `then` happens."""
        self._path, self._then = path.encode(), then

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                Thread(target=self._carry, args=(connection,), daemon=True).start()

    def _carry(self, browser: socket.socket) -> None:
        with (
            browser,
            socket.create_connection(("127.0.0.1", self._target)) as server,
            suppress(OSError),
        ):
            doomed = Event()
            Thread(target=self._back, args=(server, browser, doomed), daemon=True).start()
            while piece := browser.recv(PIECE):
                target = piece.partition(b"\r\n")[0].split(b" ")
                if self._path and len(target) == 3 and target[1].endswith(self._path):
                    doomed.set()
                server.sendall(piece)

    def _back(self, server: socket.socket, browser: socket.socket, doomed: Event) -> None:
        with suppress(OSError):
            while piece := server.recv(PIECE):
                if doomed.is_set():
                    self._path = b""
                    self._then()
                    self.was_cut.set()
                    break
                browser.sendall(piece)
            browser.shutdown(socket.SHUT_RDWR)


def worker_pids(server: ServerProcess) -> list[int]:
    """gunicorn's workers, without their master."""
    process = server._process
    assert process is not None
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as listed:
        return [int(pid) for pid in listed.read().split()]


def kill_workers(server: ServerProcess) -> Callable[[], None]:
    """Ends the workers as a power cut does; their master starts new ones by itself."""

    def kill() -> None:
        for pid in worker_pids(server):
            os.kill(pid, signal.SIGKILL)

    return kill


class MailServer(SmtpSink):
    """A provider with faults.

    mode: `ok`; `stall` (takes the connection and says nothing more); `hold` (has accepted a mail
    and does not say so yet); `421` (closing, try later).
    """

    def __init__(self) -> None:
        super().__init__()
        self.mode = "ok"
        self.reached, self.accepted = Event(), Event()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it by this name and shape
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.reached.set()
        while self.mode == "stall":
            await asyncio.sleep(0.02)
        return await super().handle_EHLO(server, session, envelope, hostname, responses)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it by this name and shape
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mode == "421":
            return "421 4.3.2 closing"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        said = await super().handle_DATA(server, session, envelope)
        self.accepted.set()
        while self.mode == "hold":
            await asyncio.sleep(0.02)
        return said

    def recipients(self) -> list[str]:
        return [address for mail in self.mails for address in mail.recipients]

    def codes(self, address: str = "") -> list[str]:
        """The code in each mail, or in each to this address, oldest first."""
        found = [mail for mail in self.mails if not address or address in mail.recipients]
        return [_CODE.findall(text_of(mail))[0] for mail in found]


def code_of(seed: bytes, now: datetime) -> str:
    """What an app with this seed shows."""
    clock = TOTP(seed, step=30, digits=6)
    clock.time = now.timestamp()
    return f"{clock.token():06d}"


def text_of(mail: Mail) -> str:
    part = mail.message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    try:
        yield server
    finally:
        server.mode = "ok"
        server.stop()


def wait_for(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """The product's promise is a minute."""
    wait_until(ready, what, seconds)
