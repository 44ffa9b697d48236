"""The sections policy, password and limits: one row of `ResetPolicy`."""

from typing import Any
from uuid import UUID

from ..countries import COUNTRIES
from ..licensing import Entitlements, entitlements
from ..limits import LIMITS, TIGHTENABLE
from ..models import Group, ResetPolicy
from ..policy import (
    CUSTOM_QUESTION_LENGTH,
    ENABLED,
    MAX_METHODS_REQUIRED,
    METHODS,
    NOTIFY_ADMINS,
    QUESTION_COUNT,
    RECONFIRM_DAYS,
    PolicyRules,
    problems,
)
from .document import Document, Plan, shown
from .policy_warnings import TERMS_NOT_COUNTED, policy_warnings
from .sections import Section
from .shapes import Flag, Key, Listing, Shape, Table, Text, Whole
from .tenant_section import TENANT

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256
LONGEST_PASSWORD_AGE = 730
_RULES = PolicyRules()
_ASKED = Whole(QUESTION_COUNT[0], QUESTION_COUNT[-1])
_QUESTION = Text(CUSTOM_QUESTION_LENGTH[-1], shortest=CUSTOM_QUESTION_LENGTH[0])
_ABOUT: dict[str, tuple[Shape, str]] = {
    "enabled": (Text(choices=ENABLED), "who may reset: nobody, one group, everybody"),
    "group": (Text(100), "the group for selected; groups inside it count"),
    "require_licence": (Flag(), "only people with a licence may reset"),
    "methods": (Listing(Text(choices=METHODS)), "the methods people may prove themselves with"),
    "methods_required": (Whole(1, MAX_METHODS_REQUIRED), "how many of them a reset takes"),
    "combined_registration": (Flag(), "register for sign-in and reset on one page"),
    "questions_to_register": (_ASKED, "how many security questions people register"),
    "questions_to_reset": (_ASKED, "how many of them a reset asks"),
    "custom_questions": (Listing(_QUESTION), "questions beside the predefined ones"),
    "require_registration": (Flag(), "ask people to register when they sign in"),
    "reconfirm_days": (
        Whole(RECONFIRM_DAYS[0], RECONFIRM_DAYS[-1]),
        "days until people confirm what is on file; 0 means never",
    ),
    "notify_user": (Flag(), "tell people that their password was reset"),
    "notify_admins": (
        Text(choices=NOTIFY_ADMINS),
        "who is told when an administrator resets: all others, global ones, nobody",
    ),
    "admins_may_reset": (Flag(), "whether administrators may reset their own passwords"),
    "writeback": (Flag(), "change passwords in the organisation's own directory"),
    "unlock_without_reset": (Flag(), "offer to unlock without a new password"),
    "register_with_password": (
        Flag(),
        "let people register a first method with only their password",
    ),
}
POLICY = Table(
    {
        **{
            name: Key(shape, about, default=getattr(_RULES, name))
            for name, (shape, about) in _ABOUT.items()
        },
        "pass_extension": Key(Flag(), "dial the extension of an office phone", default=False),
        "phone_countries": Key(
            Listing(Text(choices=COUNTRIES, listed="Write a country's two letters (ISO 3166-1).")),
            "countries that text messages and calls go to; none means all",
            default=(),
        ),
    }
)
PASSWORD = Table(
    {
        "rules": Key(
            Text(choices=tuple(ResetPolicy.PasswordRuleSet.values)),
            "entra: 3 of 4 kinds of characters; nist: any characters, no kinds asked for",
            default="entra",
        ),
        "min_length": Key(
            Whole(SHORTEST_PASSWORD, LONGEST_PASSWORD), "shortest password", SHORTEST_PASSWORD
        ),
        "max_age_days": Key(
            Whole(0, LONGEST_PASSWORD_AGE),
            "days until a password kept here has to be changed; 0 means never",
            default=0,
        ),
        "banned_terms": Key(
            Listing(Text(200)), "words of your own that weaken a password", default=()
        ),
        "check_breached": Key(Flag(), "refuse passwords known from breaches", default=True),
    }
)
LIMITS_TABLE = Table(
    {
        name: Key(Whole(1, LIMITS[name].count), "how many tries are allowed", default=None)
        for name in TIGHTENABLE
    }
)
PASSWORD_COLUMNS = {
    "rules": "password_rules",
    "min_length": "password_min_length",
    "max_age_days": "password_max_age_days",
    "banned_terms": "banned_terms",
    "check_breached": "check_breached",
}
NO_GROUP = "There is no such group: add it under [[groups]], or name another one."
# What a combination is made of; where one of these is refused already, nothing is said about it.
DEPENDS = {
    "methods": ("methods", "methods_required", "enabled"),
    "questions_to_reset": ("questions_to_reset", "questions_to_register"),
    "group": ("group", "enabled"),
}


class PolicyWork:
    def __init__(self, document: Document) -> None:
        self.document = document

    @property
    def _rules(self) -> PolicyRules:
        values = self.document.filled("policy", POLICY)
        for name in ("methods", "custom_questions"):
            values[name] = tuple(values[name])
        return PolicyRules(**{name: values[name] for name in _ABOUT})

    def validate(self) -> None:
        report, rules = self.document.report, self._rules
        if rules.group and rules.group not in self._group_names():
            report.add(("policy", "group"), NO_GROUP)
        for problem in problems(rules):
            parts = DEPENDS.get(problem.field, (problem.field,))
            if not report.touches(*(("policy", part) for part in parts)):
                report.add(("policy", problem.field), problem.fix)

    def _group_names(self) -> set[str]:
        rows = self.document.data.get("groups", ())
        return {row["name"] for row in rows if row and "name" in row} | set(self.document.group_ids)

    def plan(self, plan: Plan) -> None:
        self._warn(plan)
        row = ResetPolicy.objects.first()
        if not any(map(self.document.stands, ("policy", "password", "limits"))):
            if row is not None:
                plan.remove("policy")
                plan.on_write(row.delete)
            return
        is_new = row is None
        policy = row if row is not None else ResetPolicy(methods=list(_RULES.methods))
        if is_new:
            plan.create("policy")
        changed = [
            *self._set(plan, policy, "policy", self._policy_columns(), is_new),
            *self._set(plan, policy, "password", self._password_columns(), is_new),
            *self._set_limits(plan, policy, is_new),
        ]
        if is_new:
            plan.on_write(lambda: policy.save(force_insert=True))
        elif changed:
            policy.version += 1
            plan.on_write(lambda: policy.save(update_fields=[*changed, "version"]))

    def _policy_columns(self) -> dict[str, tuple[str, Any]]:
        """Key → column and value. Without a [policy] the row stands, but lets nobody reset."""
        values = self.document.filled("policy", POLICY)
        if not self.document.stands("policy"):
            values["enabled"] = "none"
        values["group"] = self.document.group_ids.get(values["group"])
        columns = {"group": "group_id"}
        return {name: (columns.get(name, name), value) for name, value in values.items()}

    def _password_columns(self) -> dict[str, tuple[str, Any]]:
        if not self.document.stands("password"):
            return {}
        values = self.document.filled("password", PASSWORD)
        return {name: (PASSWORD_COLUMNS[name], value) for name, value in values.items()}

    def _set(
        self,
        plan: Plan,
        policy: ResetPolicy,
        section: str,
        columns: dict[str, tuple[str, Any]],
        is_new: bool,
    ) -> list[str]:
        changed = []
        for name, (column, given) in columns.items():
            value = list(given) if isinstance(given, tuple) else given
            before = getattr(policy, column)
            if before == value:
                continue
            if not is_new:
                plan.update(section, "", name, shown(self._named(before), self._named(value)))
            setattr(policy, column, value)
            changed.append(column)
        return changed

    def _named(self, value: Any) -> Any:
        if not isinstance(value, UUID):
            return value
        return next((name for name, group in self.document.group_ids.items() if group == value), "")

    def _set_limits(self, plan: Plan, policy: ResetPolicy, is_new: bool) -> list[str]:
        if not self.document.stands("limits"):
            return []
        before, wanted = policy.limits, dict(self.document.data["limits"])
        if before == wanted:
            return []
        for name in sorted(before.keys() | wanted.keys()):
            if before.get(name) != wanted.get(name) and not is_new:
                plan.update("limits", "", name, shown(before.get(name), wanted.get(name)))
        policy.limits = wanted
        return ["limits"]

    def _warn(self, plan: Plan) -> None:
        if not self.document.stands("policy"):
            message = "There is no [policy]: nobody but administrators can reset."
            plan.warn(("policy",), message)
        else:
            granted = granted_to(self.document)
            for name, message in policy_warnings(self._rules, granted):
                plan.warn(("policy", name), message)
        terms = self.document.filled("password", PASSWORD)["banned_terms"]
        if terms and not granted_to(self.document).custom_banned:
            plan.warn(("password", "banned_terms"), TERMS_NOT_COUNTED)


def granted_to(document: Document) -> Entitlements:
    """What the plan in the file includes."""
    values = document.filled("tenant", TENANT)
    return entitlements(values["plan"], trial=values["trial_started"] is not None)


def export(out: dict[str, Any]) -> None:
    row = ResetPolicy.objects.first()
    if row is None:
        return
    policy = {name: getattr(row, name) for name in POLICY.keys if name != "group"}
    group = Group.objects.filter(id=row.group_id).first() if row.group_id else None
    policy["group"] = group.name if group else ""
    out["policy"] = {name: policy[name] for name in POLICY.keys}
    out["password"] = {name: getattr(row, column) for name, column in PASSWORD_COLUMNS.items()}
    if row.limits:
        out["limits"] = dict(sorted(row.limits.items()))


SECTION = Section(
    name="policy",
    keys={
        "policy": Key(POLICY, "who may reset, and with what"),
        "password": Key(PASSWORD, "rules for passwords that are kept here"),
        "limits": Key(LIMITS_TABLE, "tighter limits than the product's own"),
    },
    open=PolicyWork,
    export=export,
)
