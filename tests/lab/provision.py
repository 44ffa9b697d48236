"""Makes the domain's database once. Run by the system's own Python, which has Samba's modules:

    /usr/bin/python3 provision.py FOLDER < what.json

No account needs to be root for it: nothing is served from the file share's folders, so their access
lists are left out. The settings file is an empty one, or the machine's own would be taken over.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB

USER_CLASS = "bf967aba-0de6-11d0-a285-00aa003049e2"
UNEXPIRE = "ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501"
LONG_AGO = "132223104000000000"


def make_domain(folder: Path, what: dict[str, Any]) -> SamDB:
    empty = folder / "empty.conf"
    empty.touch()
    settings = LoadParm()
    settings.load(str(empty))
    settings.set("interfaces", "127.0.0.1/8")
    logger = logging.getLogger("provision")
    logger.setLevel(logging.ERROR)
    provision(
        logger,
        system_session(settings),
        smbconf=str(empty),
        targetdir=str(folder),
        realm=what["realm"],
        domain=what["realm"].partition(".")[0],
        hostname="dc1",
        hostip="127.0.0.1",
        adminpass=what["administrator"],
        serverrole="active directory domain controller",
        dns_backend="NONE",
        dom_for_fun_level=4,
        lp=settings,
        skip_sysvolacl=True,
        useeadb=False,
        base_schema="2012_R2",
    )
    settings = LoadParm()
    settings.load(str(folder / "etc" / "smb.conf"))
    return SamDB(
        url=str(folder / "private" / "sam.ldb"),
        session_info=system_session(settings),
        lp=settings,
    )


def replace(database: SamDB, place: str, values: dict[str, str]) -> None:
    message = ldb.Message()
    message.dn = ldb.Dn(database, place)
    for name, value in values.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    database.modify(message)


def add_person(database: SamDB, seed: dict[str, Any], base: str) -> None:
    account = f"(sAMAccountName={seed['name']})"
    database.newuser(
        seed["name"],
        seed["password"],
        userou=f"OU={seed['unit']}",
        mailaddress=seed["mail"] or None,
        force_password_change_at_next_login_req="must_change" in seed["marks"],
    )
    place = str(database.search(base, expression=account, attrs=["cn"])[0].dn)
    if seed["manager"]:
        manager = f"(sAMAccountName={seed['manager']})"
        replace(
            database,
            place,
            {"manager": str(database.search(base, expression=manager, attrs=["cn"])[0].dn)},
        )
    if "protected" in seed["marks"]:
        replace(database, place, {"adminCount": "1"})
    if "account_expired" in seed["marks"]:
        replace(database, place, {"accountExpires": LONG_AGO})
    if "disabled" in seed["marks"]:
        database.disable_account(account)
    if seed["unit"] == "Service":
        database.setexpiry(account, 0, no_expiry_req=True)


def allow(database: SamDB, place: str, entries: list[str]) -> None:
    """Puts entries before those of an object's access list."""
    domain = security.dom_sid(database.get_domain_sid())
    lists_only = ["sd_flags:1:4"]
    found = database.search(
        place, ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"], controls=lists_only
    )
    descriptor = ndr_unpack(security.descriptor, found[0]["nTSecurityDescriptor"][0])
    head, bracket, tail = descriptor.as_sddl(domain).partition("(")
    changed = security.descriptor.from_sddl(head + "".join(entries) + bracket + tail, domain)
    message = ldb.Message()
    message.dn = ldb.Dn(database, place)
    message["list"] = ldb.MessageElement(
        ndr_pack(changed), ldb.FLAG_MOD_REPLACE, "nTSecurityDescriptor"
    )
    database.modify(message, lists_only)


def delegate(database: SamDB, account: str, rights: list[list[str]], base: str) -> None:
    """Puts rights on the people of Staff, as what their unit hands down."""
    found = database.search(base, expression=f"(sAMAccountName={account})", attrs=["objectSid"])
    sid = ndr_unpack(security.dom_sid, found[0]["objectSid"][0])
    entries = [f"(OA;CIIO;{right};{what};{USER_CLASS};{sid})" for right, what in rights]
    allow(database, f"OU=Staff,{base}", entries)
    allow(database, base, [f"(OA;;CR;{UNEXPIRE};;{sid})"])


def main() -> None:
    what = json.load(sys.stdin)
    database = make_domain(Path(sys.argv[1]), what)
    base = str(database.domain_dn())
    replace(database, base, {name: str(value) for name, value in what["rules"].items()})
    for unit in sorted({seed["unit"] for seed in what["seeds"]}):
        database.add({"dn": f"OU={unit},{base}", "objectClass": "organizationalUnit"})
    for seed in what["seeds"]:
        add_person(database, seed, base)
    for account, rights in what["delegated"].items():
        delegate(database, account, rights, base)


main()
