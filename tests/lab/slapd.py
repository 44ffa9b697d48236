"""A private OpenLDAP server with its password policy: own folder, free ports, own authority.

Any user can start one, beside any number of others. It ends with the process that started it.
"""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

from tests.lab.certificates import Authority
from tests.services.pausing import pause
from tests.services.ports import NotReady, free_port, wait_until

BASE: Final = "dc=example,dc=test"
PEOPLE, SERVICE, POLICIES = f"ou=people,{BASE}", f"ou=service,{BASE}", f"ou=policies,{BASE}"
ROOT, ROOT_PASSWORD = f"cn=admin,{BASE}", "Root-of-the-lab-1"
WRITEBACK, RESETTER, READER, MASTER = (
    f"cn={name},{SERVICE}" for name in ("writeback", "resetter", "reader", "master")
)
ACCOUNT_PASSWORD = "Account-of-the-lab-1"
DEFAULT_POLICY, STRICT_POLICY = f"cn=default,{POLICIES}", f"cn=strict,{POLICIES}"
FIRST_PASSWORD = "Start-Passw0rd-1"
COUNT: Final = 60
"""Of people, one or two for each test; alice and strict are beside them."""

_PROGRAM, _LOADER, _DUMPER = (f"/usr/sbin/{name}" for name in ("slapd", "slapadd", "slapcat"))
_SCHEMA, _MODULES = Path("/etc/ldap/schema"), "/usr/lib/ldap"
_NAMES = UUID("6f3b8f7a-2f0e-4b5b-9a54-3f9c4f0d1a11")

# Write, not manage: who may manage passwords is above the policy.
_CONFIGURATION = """\
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
pidfile {home}/slapd.pid
argsfile {home}/slapd.args
TLSCACertificateFile {authority}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSProtocolMin 3.3
security simple_bind=128
database mdb
suffix "{base}"
rootdn "{root}"
rootpw {root_password}
directory {home}/data
maxsize 33554432
dbnosync
index uid,entryUUID eq
overlay ppolicy
ppolicy_default "{default_policy}"
ppolicy_use_lockout
access to dn.subtree="{people}" attrs=userPassword
    by dn.exact="{master}" manage
    by dn.exact="{writeback}" write
    by dn.exact="{resetter}" write
    by self =xw
    by anonymous auth
    by * none
access to dn.subtree="{people}" attrs=pwdAccountLockedTime,pwdReset
    by dn.exact="{master}" manage
    by dn.exact="{writeback}" write
    by dn.exact="{resetter}" read
    by dn.exact="{reader}" read
    by * none
access to attrs=userPassword by anonymous auth by * none
access to * by dn.subtree="{service}" read by self read by * auth
"""


@dataclass
class Slapd:
    """One server. folder: everything of it, made when it is prepared; names: that its certificate
    is for."""

    folder: Path
    authority: Authority
    names: tuple[str, ...] = ("127.0.0.1", "localhost")
    expired: bool = False
    port: int = 0
    plain_port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """As a connector calls it."""
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Certificate, configuration and people; nothing runs yet."""
        (self.folder / "data").mkdir(parents=True)
        issued = self.authority.issue(self.folder / "tls", self.names, expired=self.expired)
        text = _CONFIGURATION.format(
            schema=_SCHEMA,
            modules=_MODULES,
            home=self.folder,
            authority=self.authority.file,
            certificate=issued.certificate,
            key=issued.key,
            base=BASE,
            root=ROOT,
            root_password=ROOT_PASSWORD,
            default_policy=DEFAULT_POLICY,
            people=PEOPLE,
            service=SERVICE,
            master=MASTER,
            writeback=WRITEBACK,
            resetter=RESETTER,
            reader=READER,
        )
        (self.folder / "slapd.conf").write_text(text, encoding="utf-8")
        subprocess.run(
            [_LOADER, "-q", "-f", self.folder / "slapd.conf"],
            input=_entries().encode(),
            check=True,
            capture_output=True,
        )
        self.port, self.plain_port = free_port(), free_port()

    def start(self) -> None:
        """Returns when it answers. Raises NotReady."""
        addresses = f"ldaps://127.0.0.1:{self.port} ldap://127.0.0.1:{self.plain_port}"
        program = [_PROGRAM, "-f", str(self.folder / "slapd.conf"), "-h", addresses, "-d", "0"]
        with (self.folder / "slapd.out").open("ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *program],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(self._answers, "slapd")

    def stop(self) -> None:
        """Ends it in whatever state it is."""
        if self.process is not None and self.process.poll() is None:
            self.resume()
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def pause(self) -> None:
        """It takes connections and answers nothing, until it goes on."""
        pause(self._running().pid)

    def resume(self) -> None:
        """It goes on with what came meanwhile."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """At once, whatever it is doing."""
        process = self._running()
        process.kill()
        process.wait(10)

    def has_unread(self) -> bool:
        """Whether something was sent to it that it did not take yet."""
        ports = {f"{self.port:04X}", f"{self.plain_port:04X}"}
        with Path("/proc/net/tcp").open(encoding="ascii") as table:
            lines = [line.split() for line in table][1:]
        return any(
            line[1].rpartition(":")[2] in ports
            and line[3] == "01"
            and int(line[4].rpartition(":")[2], 16) > 0
            for line in lines
        )

    def entry(self, login: str) -> str:
        """Everything that stands of a person, read past the server."""
        program = [_DUMPER, "-f", str(self.folder / "slapd.conf"), "-a", f"(uid={login})"]
        return subprocess.run(program, check=True, capture_output=True, text=True).stdout

    def _answers(self) -> bool:
        if self._running().poll() is not None:
            raise NotReady((self.folder / "slapd.out").read_text(encoding="utf-8"))
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise NotReady("slapd was not started")
        return self.process

    def _signal(self, number: int) -> None:
        os.kill(self._running().pid, number)


def place(login: str) -> str:
    """A person's distinguished name."""
    return f"uid={login},{PEOPLE}"


def anchor(login: str) -> str:
    """A person's entryUUID, the same in every lab."""
    return str(uuid5(_NAMES, login))


_Entry = dict[str, str | list[str]]


def _entries() -> str:
    people = ["alice", *(f"user{number:03d}" for number in range(COUNT))]
    blocks: list[_Entry] = [
        {"dn": BASE, "objectClass": ["dcObject", "organization"], "dc": "example", "o": "Example"},
        *(_unit(name) for name in (PEOPLE, SERVICE, POLICIES)),
        _policy(DEFAULT_POLICY, "10"),
        {**_policy(STRICT_POLICY, "20"), "pwdMustChange": "FALSE", "pwdInHistory": "0"},
        *(_account(name) for name in (WRITEBACK, RESETTER, READER, MASTER)),
        *(_person(login) for login in people),
        {**_person("strict"), "pwdPolicySubentry": STRICT_POLICY},
    ]
    return "\n".join(map(_block, blocks))


def _unit(name: str) -> _Entry:
    return {"dn": name, "objectClass": "organizationalUnit", "ou": name[3:].partition(",")[0]}


def _policy(name: str, length: str) -> _Entry:
    return {
        "dn": name,
        "objectClass": ["device", "pwdPolicy"],
        "cn": name[3:].partition(",")[0],
        "pwdAttribute": "userPassword",
        "pwdMinLength": length,
        "pwdCheckQuality": "2",
        "pwdInHistory": "5",
        "pwdMaxFailure": "3",
        "pwdLockout": "TRUE",
        "pwdLockoutDuration": "1800",
        "pwdFailureCountInterval": "1800",
        "pwdMaxAge": "3628800",
        "pwdMustChange": "TRUE",
        "pwdAllowUserChange": "TRUE",
    }


def _account(name: str) -> _Entry:
    return {
        "dn": name,
        "objectClass": ["device", "simpleSecurityObject"],
        "cn": name[3:].partition(",")[0],
        "userPassword": ACCOUNT_PASSWORD,
    }


def _person(login: str) -> _Entry:
    return {
        "dn": place(login),
        "objectClass": "inetOrgPerson",
        "uid": login,
        "cn": login,
        "sn": login,
        "mail": f"{login}@example.test",
        "entryUUID": anchor(login),
        "userPassword": FIRST_PASSWORD,
    }


def _block(entry: _Entry) -> str:
    lines = [
        f"{name}: {value}"
        for name, values in entry.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return "\n".join(lines) + "\n"
