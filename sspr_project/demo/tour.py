"""What the demo prints: where things are, who to be, and what each of them shows."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from . import operators
from .organisations import read_demo_file

ORGANISATIONS: Mapping[str, str] = {
    "contoso": "people see their own methods and give two proofs",
    "fabrikam": "tells nobody who is known; one proof; one group may reset",
    "tailspin": "free plan: only administrators may reset",
}
PEOPLE: Mapping[str, str] = {
    "alice@contoso.example": "every method",
    "bob@contoso.example": "exactly two: email and authenticator app",
    "mona@contoso.example": "email and mobile; reads Arabic",
    "emil@contoso.example": "mobile and security questions; reads German (answers: contoso.toml)",
    "frank@contoso.example": "only one method: not enough",
    "eve@contoso.example": "nothing registered",
    "dave@contoso.example": "disabled",
    "oscar@contoso.example": "no licence",
    "gina@fabrikam.example": "guest of Contoso too; her home Fabrikam decides",
    "sam@example.org": "guest of Contoso who signed up",
    "iris@example.com": "invited by Contoso and Fabrikam: asked which one",
    "pete@mail.example": "guest with a personal account",
    "fred@fabrikam.example": "in the group that may reset",
    "olga@fabrikam.example": "outside the group: the same pages, no message",
    "tina@tailspin.example": "no administrator: refused, with the reason",
    "nobody@contoso.example": "unknown: the same page as eve, dave and oscar",
}
_CONTACTS = {"alternate_email": "email", "mobile_phone": "mobile", "office_phone": "office"}


def tour(base_url: str, port: int, *, administration: bool) -> Iterator[str]:
    """The lines for people. `administration`: whether /admin/ is there to sign in to."""
    yield "The demo is running. Nothing leaves this computer. Ctrl+C stops it."
    yield ""
    places = [
        ("Portal", "/"),
        ("Sign in", "/sign-in/"),
        ("Messages sent", "/demo/outbox/"),
        ("App codes", "/demo/codes/"),
    ]
    places += [("Administration", "/admin/")] if administration else []
    places += [("Operator", "/operator/")]
    yield from (f"  {name:<16}{base_url}{path}" for name, path in places)
    files = {slug: read_demo_file(slug) for slug in ORGANISATIONS}
    for slug, shows in ORGANISATIONS.items():
        yield ""
        yield f"{files[slug]['tenant']['name']}: {shows}"
        yield from (f"  {url}" for url in own_addresses(files[slug], base_url, port))
        yield from (line for name, line in _people(files) if _slug_of(name, files) == slug)
    yield ""
    yield "Administrators, with the made-up passwords of sspr_project/demo/*.toml"
    yield f"  Then a second proof: the code of their app is at {base_url}/demo/codes/"
    yield from (f"  {name:<26}{password}" for name, password in sign_ins(files.values()))
    yield ""
    yield "Operator of the whole installation, at /operator/; app code at the same place"
    yield f"  {operators.USER_ID:<26}{operators.PASSWORD}"
    yield ""
    yield "What you change stays. To start afresh: .venv/bin/python manage.py demo --reset"


def own_addresses(file: Mapping[str, Any], base_url: str, port: int) -> list[str]:
    """The organisation's own hosts; browsers find *.localhost on this computer."""
    base = urlsplit(base_url)
    here = base.port if (base.hostname or "").endswith("localhost") else port
    return [f"http://{host}:{here}/" for host in file["tenant"]["hosts"]]


def sign_ins(files: Any) -> Iterator[tuple[str, str]]:
    """User ID and password of each administrator."""
    for file in files:
        for user in file["users"]:
            if user.get("roles"):
                yield user["id"], user["password"]


def _people(files: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known: dict[str, Mapping[str, Any]] = {}
    for section in ("users", "guests"):
        for file in files.values():
            for person in file.get(section, ()):
                known.setdefault(_typed(person), person)
    for name, shows in PEOPLE.items():
        lines = [f"  {name:<26}{shows}", *_contacts(known.get(name, {}))]
        yield name, f"\n{'':<28}".join(lines)


def _contacts(person: Mapping[str, Any]) -> list[str]:
    """What has to be typed in full before a code is sent."""
    if "origin" in person:
        return [f"email {person['email']}"]
    return [f"{label} {person[key]}" for key, label in _CONTACTS.items() if key in person]


def _typed(person: Mapping[str, Any]) -> str:
    """What this person types: a guest the registered email, everybody else the user ID."""
    name: str = person["email"] if "origin" in person else person["id"]
    return name


def _slug_of(name: str, files: Mapping[str, Any]) -> str:
    domain = name.partition("@")[2]
    for slug, file in files.items():
        if domain in {row["name"] for row in file["tenant"]["domains"]}:
            return slug
    return "contoso"
