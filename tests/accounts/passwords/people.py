"""The person and the rules that the password tables start from."""

from accounts.passwords.names import PasswordContext
from accounts.passwords.rules import Code, PasswordRules, Violation

ALICE = PasswordContext(
    user_id="alice.a@northwind.example",
    given_name="Alice",
    surname="Adams",
    display_name="Alice Adams",
    tenant_name="Northwind",
    operation="reset",
)
ENTRA = PasswordRules(rules="entra")
NIST = PasswordRules(rules="nist")


def codes(violations: tuple[Violation, ...]) -> list[Code]:
    return [violation.code for violation in violations]
