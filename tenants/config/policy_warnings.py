"""PURE. What a policy promises and the plan, or the rules of the product, will not keep."""

from collections.abc import Iterator

from ..licensing import Entitlements
from ..policy import QUESTIONS, PolicyRules

OFFICE_PHONE, MOBILE_PHONE = "office_phone", "mobile_phone"
TERMS_NOT_COUNTED = "Words of your own do not count on this plan."


def policy_warnings(rules: PolicyRules, granted: Entitlements) -> Iterator[tuple[str, str]]:
    """(key of the policy, sentence). Nothing here keeps a policy from being saved."""
    if rules.enabled == "none":
        yield "enabled", "Nobody but administrators can reset: enabled is none."
    elif not granted.reset:
        yield "enabled", "Only administrators can reset on this plan."
    if rules.writeback and not granted.writeback:
        yield "writeback", "This plan does not include the organisation's own directory."
    if rules.unlock_without_reset and not granted.unlock:
        yield "unlock_without_reset", "This plan does not include unlocking without a reset."
    elif rules.unlock_without_reset and not rules.writeback:
        yield "unlock_without_reset", "There is nothing to unlock without writeback."
    yield from _method_warnings(rules, granted)


def _method_warnings(rules: PolicyRules, granted: Entitlements) -> Iterator[tuple[str, str]]:
    if OFFICE_PHONE in rules.methods and not granted.voice:
        yield "methods", "Office phones are called, and this plan or trial has no voice calls."
    if MOBILE_PHONE in rules.methods and not granted.voice:
        yield "methods", "Mobile phones get text messages only: no voice calls on this plan."
    if QUESTIONS in rules.methods and rules.methods_required == 1:
        yield (
            "methods_required",
            "Security questions never stand alone: with one method required they are not offered.",
        )
    usable = _usable(rules, granted)
    if rules.enabled != "none" and len(usable) < rules.methods_required:
        message = f"Nobody can reset: only {len(usable)} of these methods can be used, "
        yield "methods", message + f"and {rules.methods_required} must be passed."


def _usable(rules: PolicyRules, granted: Entitlements) -> set[str]:
    usable = set(rules.methods)
    if not granted.voice:
        usable.discard(OFFICE_PHONE)
    if rules.methods_required == 1:
        usable.discard(QUESTIONS)
    return usable
