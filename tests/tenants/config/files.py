"""Files to apply, and the short way to do it."""

from pathlib import Path
from uuid import UUID

from tenants.config.engine import Outcome, apply_content
from tenants.lookup import find_tenant

EXAMPLE = (Path(__file__).parent / "contoso.toml").read_text(encoding="utf-8")
SECRETS = ("Tall-Ships 4 Alice", "JBSWY3DPEHPK3PXP", "Snowball")
FABRIKAM = """\
[tenant]
slug = "fabrikam"
name = "Fabrikam"
domains = [{ name = "fabrikam.example" }]
hosts = ["fabrikam.localhost"]

[[users]]
id = "bob@fabrikam.example"
"""


def apply(text: str, *, dry_run: bool = False) -> Outcome:
    return apply_content(text.encode(), file="test.toml", dry_run=dry_run)


def applied(text: str) -> UUID:
    """Applies a file that must be in order; the id of its tenant."""
    outcome = apply(text)
    assert outcome.problems == ()
    found = find_tenant(slug=outcome.tenant)
    assert found is not None
    return found


def changed(outcome: Outcome) -> list[str]:
    return [str(change) for change in outcome.changes]
