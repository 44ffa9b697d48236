"""The policy editor: the whole policy on one page, in plain words, with its rules at each field."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from ..config.policy_section import LONGEST_PASSWORD, LONGEST_PASSWORD_AGE, SHORTEST_PASSWORD
from ..invalid import Invalid
from ..licensing import Entitlements, entitlements
from ..limits import LIMITS, TIGHTENABLE
from ..models import Domain, ResetPolicy, Subscription
from ..policy import (
    MAX_METHODS_REQUIRED,
    STRONGEST_FIRST,
    PolicyRules,
    find_administrator_policy,
)
from ..policy_change import COLUMNS, LIMIT, VersionPassed, change_policy, rules_of, warnings_of
from ..policy_knowledge import KNOWN
from ..policy_summary import METHOD_WORDS, policy_summary
from ..roles import GLOBAL_ADMINISTRATOR
from .base import as_words
from .forms import GroupField, IntentForm, LinesField

_WHO = {"none": "Nobody", "selected": "One group", "all": "Everybody"}
_TOLD = {
    "all": "All other administrators",
    "global": "Other global administrators",
    "none": "Nobody",
}
_RULE_SETS = {
    "entra": "Microsoft Entra: three of four kinds of characters",
    "nist": "NIST: any characters, no kinds asked for",
}


def method_choices() -> list[tuple[str, str]]:
    """Those that can be verified first, strongest first."""
    known = sorted(STRONGEST_FIRST, key=lambda method: method not in KNOWN.verifiable)
    return [(method, _method_label(method)) for method in known]


def _method_label(method: str) -> str:
    name = as_words(METHOD_WORDS[method])
    return name if method in KNOWN.verifiable else f"{name} (not available in this version yet)"


def _tick(label: str, help_text: str = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False)


def _count(label: str, lowest: int, highest: int, help_text: str = "") -> forms.IntegerField:
    """The range is told here and checked by the service."""
    attrs = {"min": lowest, "max": highest, "inputmode": "numeric"}
    return forms.IntegerField(
        label=label, help_text=help_text, widget=forms.NumberInput(attrs=attrs)
    )


class PolicyForm(IntentForm):
    """The policy. `version` is the one the administrator looked at."""

    submit = "Save policy"
    done = "The policy is saved and holds from now on."

    version = forms.IntegerField(widget=forms.HiddenInput)
    enabled = forms.ChoiceField(
        label="Who may reset", choices=list(_WHO.items()), widget=forms.RadioSelect
    )
    group = GroupField(
        label="Group", required=False, help_text='For "One group"; groups inside it count.'
    )
    require_licence = _tick("Only people with a licence")
    admins_may_reset = _tick(
        "Administrators may reset their own passwords",
        "Their own fixed policy holds for them; see below.",
    )
    methods = forms.MultipleChoiceField(
        label="Methods",
        choices=method_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    methods_required = forms.TypedChoiceField(
        label="Number of proofs",
        coerce=int,
        choices=[(number, str(number)) for number in range(1, MAX_METHODS_REQUIRED + 1)],
        widget=forms.RadioSelect,
        help_text="How many different methods a person must pass.",
    )
    questions_to_register = _count("Questions to register", 3, 5, "3 to 5.")
    questions_to_reset = _count("Questions asked at a reset", 3, 5, "3 to 5.")
    custom_questions = LinesField(
        label="Questions of your own",
        required=False,
        help_text="One a line, at most 20, each of 3 to 200 characters. They are not translated.",
    )
    require_registration = _tick("Ask people to register when they sign in")
    combined_registration = _tick("Register for sign-in and reset on one page")
    reconfirm_days = _count(
        "Days until people confirm what is on file", 0, 730, "0 to 730; 0 means never."
    )
    register_with_password = _tick(
        "Let people register a first method with only their password",
        "Without it they need a temporary access pass, or prove a contact you entered for them.",
    )
    notify_user = _tick("Tell people that their password was reset")
    notify_admins = forms.ChoiceField(
        label="When an administrator resets, tell", choices=list(_TOLD.items())
    )
    writeback = _tick("Change passwords in the organisation's own directory")
    unlock_without_reset = _tick("Offer to unlock without a new password")
    pass_extension = _tick("Dial the extension of an office phone", "Else it is left out.")
    phone_countries = LinesField(
        label="Countries that get codes by phone",
        required=False,
        help_text="One a line, two letters each: US, DE. Empty means all.",
    )
    password_rules = forms.ChoiceField(
        label="Rules", choices=list(_RULE_SETS.items()), widget=forms.RadioSelect
    )
    password_min_length = _count(
        "Shortest password",
        SHORTEST_PASSWORD,
        LONGEST_PASSWORD,
        f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.",
    )
    password_max_age_days = _count(
        "Days until a password has to be changed",
        0,
        LONGEST_PASSWORD_AGE,
        f"0 to {LONGEST_PASSWORD_AGE}; 0 means never, which is what NIST and Microsoft advise.",
    )
    check_breached = _tick("Refuse passwords known from breaches")
    banned_terms = LinesField(
        label="Banned terms",
        required=False,
        help_text="One a line, at most 1000, each of 4 to 16 characters. Case does not matter.",
    )
    fieldsets: ClassVar[Sequence[tuple[str, Sequence[str], str]]] = (
        ("Who", ("version", "enabled", "group", "require_licence", "admins_may_reset"), ""),
        ("Proofs", ("methods", "methods_required"), ""),
        (
            "Security questions",
            ("questions_to_register", "questions_to_reset", "custom_questions"),
            "A weak method: never alone, never for administrators.",
        ),
        (
            "Registration",
            (
                "require_registration",
                "combined_registration",
                "register_with_password",
                "reconfirm_days",
            ),
            "",
        ),
        ("Notices", ("notify_user", "notify_admins"), ""),
        (
            "Directory and phones",
            ("writeback", "unlock_without_reset", "pass_extension", "phone_countries"),
            "",
        ),
        (
            "Passwords kept here",
            (
                "password_rules",
                "password_min_length",
                "password_max_age_days",
                "check_breached",
                "banned_terms",
            ),
            "Where a password is kept in your own directory, the directory's rules hold.",
        ),
        (
            "Limits",
            tuple(f"{LIMIT}{name}" for name in TIGHTENABLE),
            "They can only be tightened. Empty: the product's own number.",
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in TIGHTENABLE:
            self.fields[f"{LIMIT}{name}"] = _limit_field(name)
        self.initial = {**_initial(self.row), **self.initial}

    def wanted(self) -> dict[str, Any]:
        """The columns as the service takes them, from a form without errors."""
        values = {name: self.cleaned_data[name] for name in COLUMNS}
        values["methods"] = [each for each in STRONGEST_FIRST if each in values["methods"]]
        limits = {name: self.cleaned_data[f"{LIMIT}{name}"] for name in TIGHTENABLE}
        values["limits"] = {name: count for name, count in limits.items() if count is not None}
        return values

    def save(self, now: datetime) -> ResetPolicy:
        change_policy(
            self.wanted(), version=self.cleaned_data["version"], by=self.by.party, now=now
        )
        policy: ResetPolicy = ResetPolicy.objects.get()
        return policy

    def refuse(self, refused: Invalid) -> None:
        if isinstance(refused, VersionPassed):
            # Saving again is a decision made in sight of what stands now.
            typed: Any = self.data
            data = typed.copy()
            data["version"] = str(refused.version)
            self.data = data
        super().refuse(refused)

    def told_before(self) -> str:
        rules = self.row.rules() if self.row is not None else PolicyRules()
        group = self.row.group.name if self.row is not None and self.row.group else ""
        gates = administrator_gates()
        return policy_summary(rules, group=group, administrator_gates=gates, calls=_granted().voice)

    def warnings(self) -> list[str]:
        if self.is_bound:
            rules, terms = rules_of(self.wanted()), bool(self.cleaned_data["banned_terms"])
        elif self.row is not None:
            rules, terms = self.row.rules(), bool(self.row.banned_terms)
        else:
            return ["There is no policy yet: nobody but administrators can reset."]
        return [sentence for _, sentence in warnings_of(rules, _granted(), banned_terms=terms)]


def _limit_field(name: str) -> forms.IntegerField:
    limit = LIMITS[name]
    then = f", then blocked for {told_time(limit.block)}" if limit.block else ""
    field = _count(
        as_words(name),
        1,
        limit.count,
        f"At most {limit.count} in {told_time(limit.window)}{then}. Use 1 to {limit.count}.",
    )
    field.required = False
    return field


def told_time(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _initial(row: ResetPolicy | None) -> dict[str, Any]:
    policy = row if row is not None else ResetPolicy(methods=list(PolicyRules().methods))
    values = {name: getattr(policy, name) for name in COLUMNS}
    values["group"] = policy.group.name if policy.group is not None else ""
    values["version"] = row.version if row is not None else 0
    return {**values, **{f"{LIMIT}{name}": policy.limits.get(name) for name in TIGHTENABLE}}


def _granted() -> Entitlements:
    subscription = Subscription.objects.first()
    if subscription is None:
        return entitlements("free", trial=False)
    return entitlements(subscription.plan, trial=subscription.trial_started is not None)


def administrator_gates() -> int:
    """How many proofs the fixed policy asks of administrators of the tenant in force, today."""
    subscription = Subscription.objects.first()
    found = find_administrator_policy(
        [GLOBAL_ADMINISTRATOR],
        trial_started=subscription.trial_started if subscription is not None else None,
        today=timezone.now().date(),
        custom_domain=Domain.objects.filter(verified=True, custom=True).exists(),
        synchronised=KNOWN.is_synchronised(),
    )
    return found.gates_required if found is not None else 0
