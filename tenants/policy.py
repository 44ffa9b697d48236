"""PURE. The rules of a tenant, which combinations of them are possible, and the fixed
administrator policy (Entra, "administrator reset policy differences")."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .licensing import in_first_trial_days, trial_days_over
from .roles import holds_administrator_role

METHODS = (
    "email",
    "app_code",
    "app_notification",
    "mobile_phone",
    "office_phone",
    "security_questions",
    "passkey",
    "backup_codes",
    "hardware_token",
    "yubikey_otp",
    "temporary_access_pass",
    "manager_approval",
    "external_identity",
)
"""Every verification method a policy may name."""

STRONGEST_FIRST = (
    "passkey",
    "hardware_token",
    "yubikey_otp",
    "app_notification",
    "app_code",
    "external_identity",
    "temporary_access_pass",
    "mobile_phone",
    "office_phone",
    "email",
    "manager_approval",
    "backup_codes",
    "security_questions",
)
AUTHENTICATOR_METHODS = frozenset({"app_code", "app_notification"})
ADMINISTRATOR_METHODS = ("email", "app_code", "app_notification", "mobile_phone", "office_phone")
QUESTIONS = "security_questions"
MAX_METHODS_REQUIRED = 3
QUESTION_COUNT = range(3, 6)
RECONFIRM_DAYS = range(731)
PREDEFINED_QUESTIONS = 35
MAX_CUSTOM_QUESTIONS = 20
CUSTOM_QUESTION_LENGTH = range(3, 201)
ENABLED = ("none", "selected", "all")
NOTIFY_ADMINS = ("all", "global", "none")


@dataclass(frozen=True)
class PolicyRules:
    """A tenant's reset policy as a value. `group` is the id of the group for `selected`, or ""."""

    enabled: str = "all"
    group: str = ""
    require_licence: bool = True
    methods: tuple[str, ...] = ("email", "app_code", "mobile_phone", "office_phone")
    methods_required: int = 2
    combined_registration: bool = True
    questions_to_register: int = 5
    questions_to_reset: int = 3
    custom_questions: tuple[str, ...] = ()
    require_registration: bool = True
    reconfirm_days: int = 180
    notify_user: bool = True
    notify_admins: str = "all"
    admins_may_reset: bool = True
    writeback: bool = False
    unlock_without_reset: bool = False
    register_with_password: bool = True


@dataclass(frozen=True)
class Problem:
    """A combination that can't be. `field` is the key of the policy, `fix` a sentence to act on."""

    field: str
    code: str
    fix: str


def problems(rules: PolicyRules) -> tuple[Problem, ...]:
    """Every impossible value or combination in `rules`; empty when the policy can be saved."""
    found: list[Problem] = []
    found.extend(_value_problems(rules))
    found.extend(_method_problems(rules))
    found.extend(_question_problems(rules))
    return tuple(found)


def _value_problems(rules: PolicyRules) -> Iterable[Problem]:
    if rules.enabled not in ENABLED:
        yield Problem("enabled", "unknown_value", f"Use one of: {', '.join(ENABLED)}.")
    if rules.enabled == "selected" and not rules.group:
        yield Problem("group", "group_missing", "Name the group that may reset, or enable all.")
    if rules.notify_admins not in NOTIFY_ADMINS:
        yield Problem("notify_admins", "unknown_value", f"Use one of: {', '.join(NOTIFY_ADMINS)}.")
    if rules.reconfirm_days not in RECONFIRM_DAYS:
        yield Problem("reconfirm_days", "out_of_range", "Use 0 to 730 days; 0 means never.")
    if rules.methods_required not in range(1, MAX_METHODS_REQUIRED + 1):
        yield Problem("methods_required", "out_of_range", "Use 1, 2 or 3.")


def _method_problems(rules: PolicyRules) -> Iterable[Problem]:
    unknown = [method for method in rules.methods if method not in METHODS]
    if unknown:
        yield Problem("methods", "unknown_value", f"Use only: {', '.join(METHODS)}.")
        return
    if len(set(rules.methods)) != len(rules.methods):
        yield Problem("methods", "named_twice", "Name each method once.")
    chosen = set(rules.methods)
    if chosen == {QUESTIONS}:
        yield Problem(
            "methods",
            "questions_alone",
            "Security questions never stand alone: add another method.",
        )
    others = len(chosen - AUTHENTICATOR_METHODS)
    if chosen & AUTHENTICATOR_METHODS and others < rules.methods_required:
        yield Problem(
            "methods",
            "authenticator_alone",
            "Beside the authenticator app, name at least as many other methods as are required: "
            f"{rules.methods_required}.",
        )
    elif len(chosen) < rules.methods_required and rules.enabled != "none":
        yield Problem(
            "methods",
            "too_few_methods",
            f"Name at least {rules.methods_required} methods, or require fewer.",
        )


def _question_problems(rules: PolicyRules) -> Iterable[Problem]:
    for name in ("questions_to_register", "questions_to_reset"):
        if getattr(rules, name) not in QUESTION_COUNT:
            yield Problem(name, "out_of_range", "Use 3, 4 or 5.")
    if rules.questions_to_reset > rules.questions_to_register:
        yield Problem(
            "questions_to_reset",
            "more_than_registered",
            "Ask at most as many questions as people register.",
        )
    if len(rules.custom_questions) > MAX_CUSTOM_QUESTIONS:
        yield Problem("custom_questions", "too_many", "Use at most 20 questions of your own.")
    if any(len(text) not in CUSTOM_QUESTION_LENGTH for text in rules.custom_questions):
        yield Problem("custom_questions", "out_of_range", "Each takes 3 to 200 characters.")
    if len({text.casefold() for text in rules.custom_questions}) != len(rules.custom_questions):
        yield Problem("custom_questions", "named_twice", "Write each question once.")


@dataclass(frozen=True)
class AdministratorPolicy:
    """The policy that replaces the tenant's for everybody who holds an administrator's role."""

    gates_required: int
    methods: tuple[str, ...] = ADMINISTRATOR_METHODS


def find_administrator_policy(
    roles: Iterable[str],
    *,
    trial_started: date | None,
    today: date,
    custom_domain: bool,
    synchronised: bool,
) -> AdministratorPolicy | None:
    """The fixed policy for a holder of `roles`, or nothing for everybody else.

    Two gates, except for one gate within the first 30 days of a trial, or where there is neither a
    custom domain nor synchronisation. The published rules overlap; a running trial decides first,
    an ended one needs two gates, and without a trial the domain and the synchronisation decide.
    """
    if not holds_administrator_role(roles):
        return None
    if in_first_trial_days(trial_started, today):
        return AdministratorPolicy(gates_required=1)
    if trial_days_over(trial_started, today) or custom_domain or synchronised:
        return AdministratorPolicy(gates_required=2)
    return AdministratorPolicy(gates_required=1)
