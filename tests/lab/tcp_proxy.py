"""What lies between two parties: it passes everything on, or does what a bad network does.

Controlled from the test while connections are open. "Request" is what the side that connected
sends, "answer" what comes back.
"""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.certificates import Certificate

CHUNK = 65536
AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Interception:
    """TLS ends here and begins anew, so that the proxy reads what passes. shown: the certificate
    that it answers with; ca_file: whom it believes about the target, named `target_name`."""

    shown: Certificate
    ca_file: Path
    target_name: str


@dataclass
class _Fault:
    """delay: seconds before each piece of an answer; bytes_left: of answers until all connections
    are cut, nothing for never."""

    delay: float = 0.0
    bytes_left: int | None = None
    passes_requests: threading.Event = field(default_factory=threading.Event)
    passes_answers: threading.Event = field(default_factory=threading.Event)


class TcpProxy:
    """Between whoever connects to `port` on 127.0.0.1 and the target."""

    host = "127.0.0.1"

    def __init__(
        self, target: tuple[str, int], *, interception: Interception | None = None
    ) -> None:
        self._target = target
        self._interception = interception
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._fault = _Fault()
        self._fault.passes_requests.set()
        self._fault.passes_answers.set()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._stops = self._refuses = False
        self.connections = 0
        self.requests = bytearray()
        self.answers = bytearray()

    def start(self) -> None:
        self._begin(self._accept)

    def stop(self) -> None:
        self._stops = True
        self.cut()
        self.release()
        with suppress(OSError):
            # Wakes the thread that waits in `accept`, which closing alone would not.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in list(self._threads):
            thread.join(10)

    def delay_answers(self, seconds: float) -> None:
        self._fault.delay = seconds

    def cut_answers(self, after: int = 0) -> None:
        """Cuts every connection when this many more bytes of answers have passed."""
        self._fault.bytes_left = after

    def stall_answers(self) -> None:
        """Answers wait here until `release`; requests go on."""
        self._fault.passes_answers.clear()

    def stall_requests(self) -> None:
        """Requests wait here until `release`; after a `cut` they are lost."""
        self._fault.passes_requests.clear()

    def release(self) -> None:
        """From now on everything passes at once; what was held back goes on."""
        self._fault.delay, self._fault.bytes_left = 0.0, None
        self._fault.passes_requests.set()
        self._fault.passes_answers.set()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Answers wait meanwhile."""
        self.stall_answers()
        try:
            yield
        finally:
            self.release()

    def cut(self) -> None:
        """Resets every connection, on both sides, and forgets what was held back."""
        with self._lock:
            ended, self._sockets = self._sockets, []
        for one in ended:
            _reset(one)

    def refuse(self) -> None:
        """Nobody is let through any more, until `accept`."""
        self._refuses = True
        self.cut()

    def accept(self) -> None:
        self._refuses = False

    def _begin(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stops:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self._refuses:
                _reset(near)
                continue
            self._begin(self._join, near)

    def _join(self, near: socket.socket) -> None:
        """Both sides of one connection. A handshake that fails ends it, and nothing was read."""
        try:
            near = self._kept(near)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._interception is not None:
                near = self._kept(_answer_tls(near, self._interception))
            far = self._kept(socket.create_connection(self._target, 10))
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            far.settimeout(None)
            if self._interception is not None:
                far = self._kept(_ask_tls(far, self._interception))
        except OSError:
            _reset(near)
            return
        self._begin(self._pass_requests, near, far)
        self._pass_answers(far, near)

    def _kept(self, one: socket.socket) -> socket.socket:
        """Noted, so that a cut ends it. Raises OSError once everything was cut for good."""
        with self._lock:
            self._sockets.append(one)
            if not self._stops:
                return one
        _reset(one)
        raise ConnectionResetError

    def _pass_requests(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while data := near.recv(CHUNK):
                self.requests += data
                self._before_request(data)
                self._fault.passes_requests.wait()
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(far)

    def _before_request(self, data: bytes) -> None:
        """Of a proxy that looks into what passes. Raises OSError to lose it."""

    def _pass_answers(self, far: socket.socket, near: socket.socket) -> None:
        try:
            while data := far.recv(CHUNK):
                self.answers += data
                time.sleep(self._fault.delay)
                self._fault.passes_answers.wait()
                left = self._fault.bytes_left
                if left is None:
                    near.sendall(data)
                    continue
                near.sendall(data[:left])
                self._fault.bytes_left = left - len(data)
                if self._fault.bytes_left <= 0:
                    self._fault.bytes_left = None
                    self.cut()
                    return
            near.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(near)


def _answer_tls(near: socket.socket, interception: Interception) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(interception.shown.certificate, interception.shown.key)
    return context.wrap_socket(near, server_side=True)


def _ask_tls(far: socket.socket, interception: Interception) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=interception.ca_file)
    return context.wrap_socket(far, server_hostname=interception.target_name)


def _reset(one: socket.socket) -> None:
    """Ends a connection as a machine does that has lost its memory of it."""
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    with suppress(OSError):
        # Wakes a thread that waits in `recv`; closing alone would leave it waiting.
        socket.socket.shutdown(one, socket.SHUT_RD)
    one.close()


class DirectoryProxy(TcpProxy):
    """Knows a change of a password when it passes, because TLS ends here: `changes` counts them.

    at_change: what is done about the next one. pass; hold: it reaches the directory and the answer
    waits until `release`; lose: it never arrives, and the connections are cut.
    """

    MARK = b"unicodePwd"

    def __init__(self, target: tuple[str, int], interception: Interception) -> None:
        super().__init__(target, interception=interception)
        self.changes = 0
        self.at_change = "pass"
        self._answered = 0

    @property
    def is_holding(self) -> bool:
        """Whether the directory answered a change, and the answer waits here."""
        return bool(self._answered) and len(self.answers) > self._answered

    def release(self) -> None:
        super().release()
        self._answered = 0

    def _before_request(self, data: bytes) -> None:
        if self.MARK not in data or b"msDS-Repl" in data:
            return
        self.changes += 1
        act, self.at_change = self.at_change, "pass"
        if act == "hold":
            self._answered = len(self.answers)
            self.stall_answers()
        elif act == "lose":
            self.cut()
            raise ConnectionResetError
