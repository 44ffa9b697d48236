"""Applying and exporting: check everything, then do everything in one transaction, or nothing."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from ..audit import Party, record
from ..context import tenant_context
from ..lookup import find_tenant
from ..models import Group, Tenant
from ..services import TenantExists
from .document import OPERATOR, Change, Document, Plan, Refused
from .layout import in_order, sections, whole_file
from .report import Problem, Report, key_text
from .sections import Work
from .source import Source, SyntaxBroken
from .tenant_section import is_slug
from .writing import to_toml

ATTEMPTS = 3
POLICY_KINDS = ("policy", "password", "limits")
SLUG_EXISTS = "There is a tenant of this slug already; choose another one."
SLUG_TAKEN = "This slug belongs to a tenant that is switched off; choose another one."


class UnknownTenant(LookupError):
    """No tenant has this slug."""


@dataclass(frozen=True)
class Warned:
    """A warning and where in the file its cause stands."""

    line: int
    key: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What one file did, or would do. Holds no secret."""

    file: str
    tenant: str = ""
    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    warnings: tuple[Warned, ...] = ()
    applied: bool = field(default=False)

    @property
    def valid(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, object]:
        return {
            "file": self.file,
            "tenant": self.tenant,
            "valid": self.valid,
            "problems": [problem.as_json() for problem in self.problems],
            "changes": [change.as_json() for change in self.changes],
            "warnings": [warned.__dict__ for warned in self.warnings],
            "applied": self.applied,
        }


def apply_content(
    content: bytes,
    *,
    file: str,
    dry_run: bool = False,
    now: datetime | None = None,
    actor: Party = OPERATOR,
    only_new: bool = False,
) -> Outcome:
    """Brings a tenant to what its file says. A file with problems, and a dry run, change nothing.

    `file` is only a name for messages; `actor` stands in the audit trail. With `only_new` the slug
    of a tenant that is there already is a problem. Two applications at the same time happen one
    after the other; the second one plans on what the first one left.
    """
    try:
        source = Source(content)
    except SyntaxBroken as broken:
        problem = Problem(broken.line, broken.column, "", str(broken))
        return Outcome(file, problems=(problem,))
    moment = now or timezone.now()
    for attempt in range(ATTEMPTS):
        try:
            return _Application(source, file, dry_run, moment, actor).run(only_new=only_new)
        except (TenantExists, IntegrityError) as collision:
            # Somebody else wrote in between; a fresh plan sees what they wrote.
            if attempt + 1 < ATTEMPTS:
                continue
            if isinstance(collision, TenantExists):
                return _slug_taken(source, file)
            raise
    raise AssertionError("unreachable")


def _slug_taken(source: Source, file: str) -> Outcome:
    place = ("tenant", "slug")
    problem = Problem(*source.locate(place), key_text(place), SLUG_TAKEN)
    return Outcome(file, problems=(problem,))


class _Application:
    """One attempt at one file."""

    def __init__(
        self, source: Source, file: str, dry_run: bool, now: datetime, actor: Party
    ) -> None:
        self.source, self.file, self.dry_run, self.now = source, file, dry_run, now
        self.actor = actor
        self.report = Report()
        self.data: dict[str, Any] = whole_file().clean(source.data, (), self.report)
        self.slug = self._readable_slug()

    def _readable_slug(self) -> str:
        tenant = self.data.get("tenant", {})
        return str(tenant.get("slug", ""))

    def run(self, *, only_new: bool = False) -> Outcome:
        found = find_tenant(slug=self.slug) if self.slug else None
        if found is not None and only_new:
            self.report.add(("tenant", "slug"), SLUG_EXISTS)
            return self._outcome()
        tenant_id, is_new = found or uuid.uuid4(), found is None
        try:
            with tenant_context(tenant_id):
                document = Document(self.data, self.report, tenant_id, is_new, self.now, self.actor)
                outcome = self._in_context(document)
        except Refused as refused:
            self.report.add(refused.path, refused.message)
            outcome = self._outcome()
        if is_new and outcome.problems and self.slug and find_tenant(slug=self.slug) is not None:
            # Whoever made it meanwhile has the names that stand in the way: this very file's.
            raise TenantExists(self.slug)
        return outcome

    def _in_context(self, document: Document) -> Outcome:
        if not document.is_new and not self.dry_run:
            # Other applications of this tenant's file wait here; readers and events do not.
            Tenant.objects.select_for_update(no_key=True).get()
        document.group_ids = dict(Group.objects.values_list("name", "id"))
        works = [section.open(document) for section in sections()]
        for work in works:
            work.validate()
        if self.report:
            return self._outcome()
        plan = _planned(works)
        if plan.changes and not self.dry_run:
            for write in plan.writes:
                write()
            self._record(plan)
        return self._outcome(plan)

    def _record(self, plan: Plan) -> None:
        warnings = sum(map(len, plan.warnings.values()))
        counts = {"changes": len(plan.changes), "warnings": warnings}
        record("policy.applied", actor=self.actor, data=counts, now=self.now)
        fields = [
            f"{change.kind}.{change.field}" if change.field else change.kind
            for change in plan.changes
            if change.kind in POLICY_KINDS
        ]
        if fields:
            record("policy.changed", actor=self.actor, data={"fields": fields}, now=self.now)

    def _outcome(self, plan: Plan | None = None) -> Outcome:
        found = plan or Plan()
        warned = [
            Warned(self.source.locate(path)[0], key_text(path), message)
            for path, messages in found.warnings.items()
            for message in messages
        ]
        return Outcome(
            file=self.file,
            tenant=self.slug,
            problems=tuple(self.report.problems(self.source.locate)),
            changes=tuple(found.changes),
            warnings=tuple(warned),
            applied=plan is not None and not self.dry_run and bool(plan.changes),
        )


def _planned(works: list[Work]) -> Plan:
    plan = Plan()
    for work in works:
        work.plan(plan)
    return plan


def export_tenant(slug: str) -> str:
    """The tenant's file, secrets left out; applying it changes nothing. Raises UnknownTenant."""
    tenant_id = find_tenant(slug=slug) if is_slug(slug) else None
    if tenant_id is None:
        raise UnknownTenant(slug)
    out: dict[str, Any] = {}
    with tenant_context(tenant_id):
        for section in sections():
            section.export(out)
    return to_toml({name: out[name] for name in in_order(out)})
