"""A real domain controller on loopback: Samba, started by the tests and gone with them.

The domain is made once in a run and copied for each controller. Where the ports of LDAP may be
taken, each controller has an address of its own in 127.0.0.0/8; elsewhere it lives in a network
namespace and is reached through a relay on free ports.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import randbelow

from tests.lab.certificates import Authority
from tests.lab.seeds import ADMINISTRATOR_PASSWORD, DELEGATED, DOMAIN, REALM, RULES, SEEDS
from tests.services.pausing import pause
from tests.services.ports import NotReady, wait_until

HERE = Path(__file__).parent
PORTS = {"ldaps": 636, "ldap": 389, "kerberos": 88, "kpasswd": 464}
NAMES = ("localhost", "dc1", f"dc1.{DOMAIN}", "127.0.0.1")
# An anonymous bind and the beginning of its success: the smallest talk there is.
ANONYMOUS, SUCCESS = bytes.fromhex("300c020101600702010304008000"), b"\x0a\x01\x00"
# Nothing here outlives the run, so nothing is forced to disk.
HURRY = {"TDB_NO_FSYNC": "1"}

SETTINGS = """\
[global]
  netbios name = DC1
  realm = {realm}
  workgroup = {workgroup}
  server role = active directory domain controller
  server services = ldap, kdc
  dcerpc endpoint servers =
  disable netbios = yes
  dns forwarder =
  bind interfaces only = yes
  interfaces = {address}/8
  private dir = {folder}/private
  state directory = {folder}/state
  cache directory = {folder}/cache
  lock directory = {folder}
  pid directory = {folder}/run
  binddns dir = {folder}/bind-dns
  ncalrpc dir = {folder}/run/ncalrpc
  winbindd socket directory = {folder}/run/winbindd
  ntp signd socket directory = {folder}/run/ntp
  tls enabled = yes
  tls certfile = {folder}/tls/server.pem
  tls keyfile = {folder}/tls/server.key
  tls cafile = {folder}/tls/ca.pem
  tls priority = NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3
  ldap server require strong auth = yes
  log level = 1
"""
# Asked for every password, which costs a process each time.
STRICT = "  check password script = {script} {folder}/memory\n"

KERBEROS = """\
[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  rdns = false
  udp_preference_limit = 1
[realms]
  {realm} = {{
    kdc = {address}:{kerberos}
    kpasswd_server = {address}:{kpasswd}
  }}
"""


@dataclass(frozen=True)
class Ticket:
    """What Kerberos said to a password. granted: whether there was a ticket; words: of refusal."""

    granted: bool
    words: str


def pristine_tree(home: Path) -> Path:
    """The domain as it is made, untouched since; made by the first of several processes that ask.
    Raises RuntimeError with what the making said."""
    home.mkdir(parents=True, exist_ok=True)
    tree = home / "pristine"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            _make(home / "making")
            (home / "making").rename(tree)
    return tree


def _make(folder: Path) -> None:
    folder.mkdir()
    what = {
        "realm": REALM,
        "administrator": ADMINISTRATOR_PASSWORD,
        "rules": RULES,
        "seeds": [asdict(seed) for seed in SEEDS],
        "delegated": DELEGATED,
    }
    done = subprocess.run(
        ["/usr/bin/python3", HERE / "provision.py", folder],
        input=json.dumps(what).encode(),
        env={**os.environ, **HURRY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"no domain was made: {done.stdout.decode()[-3000:]}")
    Authority.create(folder / "tls")


class SambaDc:
    """One controller in a folder of its own, which must not exist yet. authority: its own, for
    other certificates that it stands behind; can_be_strict: slower, and `strict` works."""

    def __init__(self, tree: Path, folder: Path, *, can_be_strict: bool = True) -> None:
        subprocess.run(["cp", "-a", "--reflink=auto", "--sparse=always", tree, folder], check=True)
        self._folder = folder
        self._can_be_strict = can_be_strict
        self._process: subprocess.Popen[bytes] | None = None
        self._is_relayed, self.address = _own_address()
        self.ports = dict(PORTS)
        self.authority = Authority.load(folder / "tls")
        self.ca_file = self.authority.file
        self.authority.issue(folder / "tls", [*NAMES, self.address])
        self._write_settings()

    @property
    def port(self) -> int:
        """Of LDAPS."""
        return self.ports["ldaps"]

    def start(self) -> None:
        """Returns when a verified connection is answered. Raises NotReady with its log."""
        with (self._folder / "samba.log").open("ab") as log:
            if self._is_relayed:
                self._start_relayed(log.fileno())
            else:
                self._process = _started(_samba(self._folder), log.fileno())
        self._write_kerberos()
        try:
            wait_until(self._answers, "Samba", 60)
        except NotReady:
            self.stop()
            words = (self._folder / "samba.log").read_text(errors="replace")
            raise NotReady(f"Samba did not come up: {words[-2000:]}") from None

    def stop(self) -> None:
        if self._process is None:
            return
        self._signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._kill()
        self._process = None

    @contextmanager
    def dead(self) -> Iterator[None]:
        """Gone from one moment to the next, and meanwhile not there."""
        self._kill()
        try:
            yield
        finally:
            self.start()

    def _kill(self) -> None:
        assert self._process is not None
        self._signal(signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._process = None

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Takes connections meanwhile, because the kernel does, and answers nothing."""
        pause(self.pid)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Refuses meanwhile what Windows refuses on resets too: the last passwords that were set
        in strict times, and the account's name."""
        memory = self._folder / "memory"
        memory.mkdir()
        (memory / "strict").touch()
        try:
            yield
        finally:
            shutil.rmtree(memory)

    def kinit(self, login: str, password: str) -> Ticket:
        """Asks for a ticket with a password, which the old one never gets after a change."""
        cache = self._folder / "ticket"
        done = subprocess.run(
            ["kinit", login.replace(DOMAIN, REALM)],
            input=f"{password}\n".encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "LC_ALL": "C",
                "KRB5_CONFIG": str(self._folder / "krb5.conf"),
                "KRB5CCNAME": f"FILE:{cache}",
            },
            timeout=30,
            check=False,
        )
        cache.unlink(missing_ok=True)
        return Ticket(done.returncode == 0, done.stdout.decode(errors="replace"))

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @property
    def pid(self) -> int:
        """Of Samba itself, which in a namespace is not the process that was started."""
        assert self._process is not None
        if self._is_relayed:
            return int((self._folder / "run" / "samba.pid").read_text())
        return self._process.pid

    def _start_relayed(self, log: int) -> None:
        # The first time on any ports that are free, and then always on these.
        wanted = dict.fromkeys(PORTS, 0) if self.ports == PORTS else self.ports
        listeners = {
            name: socket.create_server(("127.0.0.1", port)) for name, port in wanted.items()
        }
        try:
            self.ports = {name: one.getsockname()[1] for name, one in listeners.items()}
            pairs = [f"{listeners[name].fileno()}:{port}" for name, port in PORTS.items()]
            relay = [sys.executable, str(HERE / "namespace.py"), *pairs, "--"]
            self._process = _started(
                # Only who is not root needs to become it, and would lose sight of others' folders.
                ["unshare", "-n" if os.geteuid() == 0 else "-Urn", *relay, *_samba(self._folder)],
                log,
                tuple(one.fileno() for one in listeners.values()),
            )
        finally:
            for one in listeners.values():
                one.close()

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise NotReady("Samba ended while starting")
        context = ssl.create_default_context(cafile=self.ca_file)
        try:
            with (
                socket.create_connection((self.address, self.port), 2) as raw,
                context.wrap_socket(raw, server_hostname=self.address) as wire,
            ):
                wire.sendall(ANONYMOUS)
                return SUCCESS in wire.recv(256)
        except ssl.SSLCertVerificationError:
            raise
        except OSError:
            return False

    def _write_settings(self) -> None:
        for name in ("run/ncalrpc", "cache"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        text = (SETTINGS + STRICT * self._can_be_strict).format(
            realm=REALM,
            workgroup=REALM.partition(".")[0],
            address=self.address,
            folder=self._folder,
            script=HERE / "check_password.py",
        )
        (self._folder / "etc" / "smb.conf").write_text(text)

    def _write_kerberos(self) -> None:
        text = KERBEROS.format(realm=REALM, address=self.address, **self.ports)
        (self._folder / "krb5.conf").write_text(text)


def _samba(folder: Path) -> list[str]:
    program = shutil.which("samba", path=f"{os.environ['PATH']}:/usr/sbin") or "samba"
    settings = str(folder / "etc" / "smb.conf")
    return [program, "-s", settings, "-F", "--no-process-group", "-M", "single", "--debug-stdout"]


def _started(
    command: list[str], log: int, inherited: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """A process that ends with this one, however this one ends."""
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**os.environ, **HURRY},
        pass_fds=inherited,
        start_new_session=True,
    )


def _own_address() -> tuple[bool, str]:
    """Whether a relay is needed, and the address that Samba will be found at."""
    for _ in range(50):
        address = f"127.{1 + randbelow(254)}.{randbelow(256)}.{1 + randbelow(254)}"
        try:
            for port in PORTS.values():
                socket.create_server((address, port)).close()
        except PermissionError:
            break
        except OSError:
            continue
        return False, address
    return True, "127.0.0.1"
