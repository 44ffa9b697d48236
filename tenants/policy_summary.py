"""PURE. A policy in a few sentences, as an administrator would tell it to a colleague."""

from .policy import QUESTIONS, STRONGEST_FIRST, PolicyRules

METHOD_WORDS = {
    "email": "email code",
    "app_code": "app code",
    "app_notification": "approval in the app",
    "mobile_phone": "mobile phone",
    "office_phone": "office phone call",
    "security_questions": "security questions",
    "passkey": "passkey",
    "backup_codes": "backup code",
    "hardware_token": "hardware token",
    "yubikey_otp": "YubiKey code",
    "temporary_access_pass": "temporary access pass",
    "manager_approval": "approval by the manager",
    "external_identity": "sign-in at another service",
}
_NUMBERS = ("no proof", "one proof", "two proofs", "three proofs")


def policy_summary(rules: PolicyRules, *, group: str, administrator_gates: int, calls: bool) -> str:
    """`group` is the name of the group for `selected`; `calls` says whether the plan has voice."""
    return f"{_people(rules, group, calls)} {_administrators(rules, administrator_gates)}"


def _people(rules: PolicyRules, group: str, calls: bool) -> str:
    if rules.enabled == "none" or (rules.enabled == "selected" and not group):
        return "Nobody resets their own password."
    who = "Everybody" if rules.enabled == "all" else f"Everybody in {group}"
    if rules.require_licence:
        who += " with a licence"
    usable = [
        METHOD_WORDS[method]
        for method in STRONGEST_FIRST
        if method in rules.methods and _counts(method, rules, calls)
    ]
    if len(usable) < rules.methods_required:
        return f"{who} would need {_NUMBERS[rules.methods_required]}, more than there are methods."
    return f"{who} resets with {rules.methods_required} of: {', '.join(usable)}."


def _counts(method: str, rules: PolicyRules, calls: bool) -> bool:
    if method == "office_phone":
        return calls
    if method == QUESTIONS:
        return rules.methods_required > 1
    return True


def _administrators(rules: PolicyRules, gates: int) -> str:
    if not rules.admins_may_reset:
        return "Administrators: not at all."
    return f"Administrators: {_NUMBERS[gates]}, never questions."
