"""Checks of the people in a file that their shapes can't make."""

import base64
from collections.abc import Iterable, Iterator

from django.contrib.auth.hashers import identify_hasher

from tenants.config.document import Document
from tenants.config.tenant_section import is_language, is_slug, language_fix
from tenants.lookup import find_tenant
from tenants.models import Domain

from .answers import is_given_away, is_long_enough, repeated
from .config_shapes import Entry, entries
from .contact_checks import contact_problem
from .identifiers import canonical, find_domain
from .models import User
from .passwords.terms import banned_term_problems
from .question_keys import QUESTION_KEYS
from .questions import question_text

CHUNK = 5000
SEED_BYTES = range(10, 65)
BAD_USER_ID = (
    "Write name@domain: letters, digits and ' . - _ ! # ^ ~ before the @, no dot right before it; "
    "at most 64 characters before and 48 after it."
)
NOT_OUR_DOMAIN = "Its domain is not among tenant.domains: add it there, or correct the user ID."
NOBODY = "There is no such person: add them to the file, or correct the user ID."
TERM_FIXES = {
    "too_short": "A banned term has at least 4 characters.",
    "too_long": "A banned term has at most 16 characters.",
    "duplicate": "Write each banned term once, whatever its case.",
    "too_many": "At most 1000 banned terms are allowed.",
}


def in_chunks(values: Iterable[str]) -> Iterator[list[str]]:
    found = list(values)
    for start in range(0, len(found), CHUNK):
        yield found[start : start + CHUNK]


def decoded_seed(text: str) -> bytes:
    """The seed behind a base-32 text; blanks and dashes in it don't matter. Raises ValueError."""
    compact = text.replace(" ", "").replace("-", "").rstrip("=").upper()
    try:
        seed = base64.b32decode(compact + "=" * (-len(compact) % 8))
    except ValueError:
        raise ValueError("not base 32") from None
    if len(seed) not in SEED_BYTES:
        raise ValueError("too short or too long")
    return seed


class PeopleChecks:
    """Puts every problem of people, their memberships and banned terms into the report."""

    def __init__(self, document: Document) -> None:
        self.document, self.report = document, document.report
        self.people = list(entries(document))
        self.known: set[str] = set()
        self.questions = {*QUESTION_KEYS, *self._own_questions()}

    def _own_questions(self) -> list[str]:
        texts = self.document.data.get("policy", {}).get("custom_questions", ())
        return [text for text in texts if text]

    def check(self) -> None:
        self._check_banned_terms()
        self._check_given_up_domains()
        self._check_user_ids()
        self.known = self._people_known()
        self._check_members()
        for entry in self.people:
            self._check_relations(entry)
            self._check_contacts(entry)
            self._check_password(entry)
            self._check_proofs(entry)
            self._check_origin(entry)

    def _check_banned_terms(self) -> None:
        terms = self.document.data.get("password", {}).get("banned_terms", ())
        if None not in terms:
            for problem in banned_term_problems(terms):
                path = ("password", "banned_terms", problem.index)
                self.report.add(path, TERM_FIXES[problem.reason])

    def _check_given_up_domains(self) -> None:
        if self.report.touches(("tenant",)):
            return
        names = set(Domain.objects.values_list("name", flat=True))
        for name in sorted(names - self.document.domains):
            if User.objects.filter(user_id__endswith=f"@{name}").exists():
                fix = f"People still have user IDs at {name}: keep the domain, or move them first."
                self.report.add(("tenant", "domains"), fix)

    def _check_user_ids(self) -> None:
        first: dict[str, Entry] = {}
        domains_unclear = self.report.touches(("tenant", "domains"))
        for entry in self.people:
            if "id" not in entry.given:
                continue
            domain = find_domain(entry.user_id)
            if domain is None:
                self.report.add(entry.path("id"), BAD_USER_ID)
            elif entry.user_id in first:
                fix = "This user ID stands in the file already: keep one of the two."
                self.report.add(entry.path("id"), fix)
            elif domain not in self.document.domains and not domains_unclear:
                self.report.add(entry.path("id"), NOT_OUR_DOMAIN)
            first.setdefault(entry.user_id, entry)

    def _people_known(self) -> set[str]:
        """Everybody in the file, and those it refers to that stand already."""
        here = {entry.user_id for entry in self.people}
        elsewhere = set(self._referred()) - here
        for chunk in in_chunks(elsewhere):
            here.update(User.objects.filter(user_id__in=chunk).values_list("user_id", flat=True))
        return here

    def _referred(self) -> Iterator[str]:
        for entry in self.people:
            if entry.given.get("manager"):
                yield canonical(entry.given["manager"])
        for row in self.document.data.get("groups", ()):
            yield from (canonical(name) for name in (row or {}).get("members", ()) if name)

    def _check_members(self) -> None:
        for index, row in enumerate(self.document.data.get("groups", ())):
            for at, name in enumerate((row or {}).get("members", ())):
                if name is not None and canonical(name) not in self.known:
                    self.report.add(("groups", index, "members", at), NOBODY)

    def _check_relations(self, entry: Entry) -> None:
        manager = canonical(entry.given.get("manager", ""))
        if manager and manager == entry.user_id:
            self.report.add(entry.path("manager"), "Nobody is their own manager.")
        elif manager and manager not in self.known:
            self.report.add(entry.path("manager"), NOBODY)
        language = entry.given.get("language", "")
        if language and not is_language(language):
            self.report.add(entry.path("language"), language_fix())

    def _check_contacts(self, entry: Entry) -> None:
        for key, value in entry.contacts().values():
            if not value:
                continue
            fix = contact_problem(key, value)
            if fix:
                self.report.add(entry.path(key), fix)

    def _check_password(self, entry: Entry) -> None:
        password, stored = entry.given.get("password"), entry.given.get("password_hash")
        if password is not None and stored is not None:
            fix = "Write the password or its hash, not both."
            self.report.add(entry.path("password_hash"), fix)
        if password == "":
            self.report.add(entry.path("password"), "Write a password, or leave the key out.")
        if stored is not None and not _is_hash(stored):
            fix = "Write a hash that begins with argon2$, or a password instead."
            self.report.add(entry.path("password_hash"), fix)

    def _check_proofs(self, entry: Entry) -> None:
        seed = entry.given.get("totp_secret")
        if seed is not None:
            try:
                decoded_seed(seed)
            except ValueError:
                fix = "Write 16 to 103 characters of base 32: A to Z and 2 to 7."
                self.report.add(entry.path("totp_secret"), fix)
        rows = [(at, row) for at, row in enumerate(entry.given.get("questions", ())) if row]
        seen: set[str] = set()
        for at, row in rows:
            question = row.get("question")
            path = entry.path("questions", at, "question")
            if question in seen:
                self.report.add(path, "Ask each question once.")
            elif question is not None and question not in self.questions:
                fix = "There is no such question: use a predefined key or one of custom_questions."
                self.report.add(path, fix)
            seen.add(question or "")
            if "answer" in row and not is_long_enough(row["answer"]):
                fix = "An answer has 3 to 40 characters."
                self.report.add(entry.path("questions", at, "answer"), fix)
        answered = [(at, row["answer"]) for at, row in rows if "answer" in row]
        for at, row in rows:
            text = question_text(str(row.get("question", "")))
            if is_given_away(row.get("answer") or "", (text, entry.user_id)):
                path = entry.path("questions", at, "answer")
                self.report.add(path, "Neither the question nor the user ID is an answer.")
        for place in repeated(answer for _, answer in answered):
            path = entry.path("questions", answered[place][0], "answer")
            self.report.add(path, "Give each question an answer of its own.")

    def _check_origin(self, entry: Entry) -> None:
        origin, home = entry.given.get("origin", ""), entry.given.get("home", "")
        if origin == User.Origin.PARTNER and not home:
            fix = "A partner's guest needs home, the slug of the partner's tenant."
            self.report.add(entry.path("home"), fix)
        elif home and origin != User.Origin.PARTNER:
            self.report.add(entry.path("home"), 'Only guests with origin = "partner" have a home.')
        elif home and not is_slug(home):
            self.report.add(entry.path("home"), "Write the slug of the partner's tenant.")
        elif home and find_tenant(slug=home) == self.document.tenant_id:
            self.report.add(entry.path("home"), "The home of a guest is another tenant.")


def _is_hash(stored: str) -> bool:
    if not (stored.isascii() and stored.isprintable()):
        return False
    try:
        identify_hasher(stored).decode(stored)
    except (ValueError, AssertionError, KeyError, IndexError):
        return False
    return True
