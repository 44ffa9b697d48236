"""Planning the people of a file: who is new, what changed, who is in which group."""

import hmac
import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import check_password

from tenants.config.document import HIDDEN, SECRET, Document, Plan, shown
from tenants.lookup import find_tenant
from tenants.models import ResetPolicy

from .answers import normalise_answer
from .config_checks import PeopleChecks, decoded_seed, in_chunks
from .config_rows import DEVICE_NAME, Belongings, PeopleRows
from .config_shapes import PROFILE, Entry
from .identifiers import canonical, mailbox_domain
from .models import AuthenticatorDevice, ContactPoint, GroupMember, QuestionAnswer, User
from .passwords.rules import PasswordRules, normalise_for_hashing
from .people import guest_lookup

_ALTERNATE = ContactPoint.Kind.ALTERNATE_EMAIL.value
_DIRECTORY = (User.Source.PASS_THROUGH.value, User.Source.FEDERATED.value)
OWN_DOMAIN = "This mailbox is in the tenant's own domains: it can't be used as proof."
NOT_KEPT = "This person's password is the directory's: a password here is not used."
NO_HOME = "There is no tenant of this slug yet: until there is, this guest can't reset."
MOST_NAMED = 5


class PeopleWork:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.checks = PeopleChecks(document)
        self.rows = PeopleRows(document.now)
        self.present: dict[str, User] = {}
        self.ids: dict[str, UUID] = {}
        self.rules = PasswordRules()

    def validate(self) -> None:
        self.checks.check()

    def plan(self, plan: Plan) -> None:
        self.rules = self._password_rules()
        for chunk in in_chunks(self.checks.known):
            found = User.objects.filter(user_id__in=chunk).select_related("manager")
            self.present.update((user.user_id, user) for user in found)
        self.ids = {name: user.id for name, user in self.present.items()}
        for entry in self.checks.people:
            self.ids.setdefault(entry.user_id, uuid.uuid4())
        belongings = Belongings.of([self.ids[entry.user_id] for entry in self.checks.people])
        for entry in self.checks.people:
            self._warn(plan, entry)
            user = self.present.get(entry.user_id)
            if user is None:
                self._plan_new(plan, entry)
            else:
                _PersonPlan(plan, self, entry, user, belongings).plan()
        plan.on_write(self.rows.write)
        self._plan_members(plan)

    def _password_rules(self) -> PasswordRules:
        """The rules that decide the form in which passwords are hashed."""
        document = self.document
        if document.stands("password"):
            chosen = document.data["password"].get("rules", "entra")
        else:
            row = ResetPolicy.objects.first()
            keeps_row = document.stands("policy") or document.stands("limits")
            chosen = row.password_rules if row is not None and keeps_row else "entra"
        return PasswordRules(rules=chosen)

    def _warn(self, plan: Plan, entry: Entry) -> None:
        found = entry.contacts().get(_ALTERNATE)
        if found and mailbox_domain(found[1]) in self.document.domains:
            plan.warn(entry.path(found[0]), OWN_DOMAIN)
        home = entry.given.get("home")
        if home and find_tenant(slug=home) is None:
            plan.warn(entry.path("home"), NO_HOME)
        for key in ("password", "password_hash"):
            if key in entry.given and entry.given.get("source") in _DIRECTORY:
                plan.warn(entry.path(key), NOT_KEPT)

    def _plan_new(self, plan: Plan, entry: Entry) -> None:
        plan.create(entry.kind, entry.user_id)
        user = User(id=self.ids[entry.user_id], user_id=entry.user_id)
        user.set_unusable_password()
        for key, value in entry.profile().items():
            setattr(user, PROFILE[key], value)
        user.manager_id = self.manager_id(entry)
        contacts = {kind: value for kind, (_, value) in entry.contacts().items() if value}
        if user.kind == User.Kind.GUEST and _ALTERNATE in contacts:
            user.guest_lookup = guest_lookup(contacts[_ALTERNATE])
        self.rows.create_user(user, licensed=entry.licensed)
        if "password" in entry.given:
            self.rows.set_password(user, self.hashable(entry))
        if "password_hash" in entry.given:
            self.rows.set_hash(user, entry.given["password_hash"])
        for kind, value in contacts.items():
            self.rows.create_contact(ContactPoint(user_id=user.id, kind=kind), value)
        if "totp_secret" in entry.given:
            seed = decoded_seed(entry.given["totp_secret"])
            self.rows.create_device(AuthenticatorDevice(user_id=user.id, name=DEVICE_NAME), seed)
        for row in entry.given.get("questions", ()):
            answer = QuestionAnswer(user_id=user.id, question=row["question"])
            self.rows.create_answer(answer, row["answer"])

    def hashable(self, entry: Entry) -> str:
        return normalise_for_hashing(entry.given["password"], self.rules)

    def manager_id(self, entry: Entry) -> UUID | None:
        name = canonical(entry.given.get("manager", ""))
        return self.ids[name] if name else None

    def _plan_members(self, plan: Plan) -> None:
        rows = self.document.data.get("groups", ())
        group_ids = {self.document.group_ids[row["name"]]: row["name"] for row in rows}
        present: dict[str, dict[str, UUID]] = {}
        for chunk in in_chunks(map(str, group_ids)):
            members = GroupMember.objects.filter(group_id__in=chunk)
            for group, name, user in members.values_list("group_id", "user__user_id", "user_id"):
                present.setdefault(group_ids[group], {})[name] = user
        for row in rows:
            wanted = {canonical(name) for name in row.get("members", ())}
            self._plan_group(plan, row["name"], wanted, present.get(row["name"], {}))

    def _plan_group(
        self, plan: Plan, name: str, wanted: set[str], present: Mapping[str, UUID]
    ) -> None:
        added, gone = sorted(wanted - present.keys()), sorted(present.keys() - wanted)
        if not added and not gone:
            return
        if name not in self.document.new_groups:
            plan.update("group", name, "members", _joined_and_left(added, gone))
        group = self.document.group_ids[name]
        members = [GroupMember(group_id=group, user_id=self.ids[who]) for who in added]
        leaving = [str(present[who]) for who in gone]

        def write() -> None:
            for chunk in in_chunks(leaving):
                GroupMember.objects.filter(group_id=group, user_id__in=chunk).delete()
            GroupMember.objects.bulk_create(members, batch_size=1000)

        plan.on_write(write)


def _joined_and_left(added: list[str], gone: list[str]) -> str:
    if len(added) + len(gone) > MOST_NAMED:
        return f"+{len(added)} people, -{len(gone)} people"
    return ", ".join([*(f"+{who}" for who in added), *(f"-{who}" for who in gone)])


class _PersonPlan:
    """What changes for one person who is there already."""

    def __init__(
        self, plan: Plan, work: PeopleWork, entry: Entry, user: User, belongings: Belongings
    ) -> None:
        self.to, self.work, self.entry, self.user = plan, work, entry, user
        self.rows, self.belongings = work.rows, belongings
        self.changed: set[str] = set()

    def plan(self) -> None:
        self._profile()
        self._manager()
        self._licence()
        self._password()
        self._contacts()
        self._seed()
        self._answers()

    def _change(self, key: str, words: str) -> None:
        self.changed.add(key)
        self.to.update(self.entry.kind, self.entry.user_id, key, words)

    def _set(self, column: str, value: Any) -> None:
        setattr(self.user, column, value)
        self.rows.update_user(self.user, column)

    def _profile(self) -> None:
        for key, value in self.entry.profile().items():
            before = getattr(self.user, PROFILE[key])
            if before != value:
                self._change(key, shown(before, value))
                self._set(PROFILE[key], value)
        if self.user.kind != User.Kind.GUEST and self.user.guest_lookup is not None:
            self._set("guest_lookup", None)

    def _manager(self) -> None:
        wanted = self.work.manager_id(self.entry)
        if self.user.manager_id != wanted:
            before = self.user.manager.user_id if self.user.manager else ""
            self._change("manager", shown(before, canonical(self.entry.given.get("manager", ""))))
            self.user.manager_id = wanted
            self.rows.update_user(self.user, "manager")

    def _licence(self) -> None:
        before = self.user.licence_id is not None
        if before != self.entry.licensed:
            self._change("licensed", shown(before, self.entry.licensed))
            self.rows.set_licence(self.user, licensed=self.entry.licensed)

    def _password(self) -> None:
        given = self.entry.given
        if "password" in given:
            password = self.work.hashable(self.entry)
            if not check_password(password, self.user.password):
                self._change("password", SECRET)
                self.rows.set_password(self.user, password)
        elif "password_hash" in given:
            stored = given["password_hash"].encode()
            if not hmac.compare_digest(stored, self.user.password.encode()):
                self._change("password_hash", SECRET)
                self.rows.set_hash(self.user, given["password_hash"])

    def _contacts(self) -> None:
        for kind, (key, value) in self.entry.contacts().items():
            row = self.belongings.contacts.get((self.user.id, kind))
            if row is None and value:
                self._change(key, HIDDEN)
                self.rows.create_contact(ContactPoint(user_id=self.user.id, kind=kind), value)
            elif row is not None and not value:
                self._change(key, "(removed)")
                self.rows.remove(row)
            elif row is not None and row.read().reveal() != value:
                self._change(key, HIDDEN)
                self.rows.change_contact(row, value)
        self._lookup()

    def _lookup(self) -> None:
        found = self.entry.contacts().get(_ALTERNATE)
        if self.user.kind != User.Kind.GUEST or found is None:
            return
        wanted = guest_lookup(found[1]) if found[1] else None
        before = self.user.guest_lookup
        if (None if before is None else bytes(before)) != wanted:
            self._set("guest_lookup", wanted)
            if not self.changed & {"kind", found[0]}:
                self._change(found[0], HIDDEN)

    def _seed(self) -> None:
        if "totp_secret" not in self.entry.given:
            return
        seed = decoded_seed(self.entry.given["totp_secret"])
        devices = self.belongings.devices.get(self.user.id, [])
        if any(hmac.compare_digest(device.read_seed().reveal(), seed) for device in devices):
            return
        self._change("totp_secret", SECRET)
        named = next((device for device in devices if device.name == DEVICE_NAME), None)
        if named is None:
            device = AuthenticatorDevice(user_id=self.user.id, name=DEVICE_NAME)
            self.rows.create_device(device, seed)
        else:
            self.rows.change_device(named, seed)

    def _answers(self) -> None:
        if "questions" not in self.entry.given:
            return
        present = {row.question: row for row in self.belongings.answers.get(self.user.id, [])}
        wanted = {row["question"]: row["answer"] for row in self.entry.given["questions"]}
        changed = [row for question, row in present.items() if question not in wanted]
        for row in changed:
            self.rows.remove(row)
        for question, answer in wanted.items():
            row = present.get(question) or QuestionAnswer(user_id=self.user.id, question=question)
            if row.answer_hash and check_password(normalise_answer(answer), row.answer_hash):
                continue
            changed.append(row)
            if question in present:
                self.rows.change_answer(row, answer)
            else:
                self.rows.create_answer(row, answer)
        if changed:
            self._change("questions", SECRET)
