"""The organisations of the demo, from their files, once; what was changed since stays."""

import tomllib
from pathlib import Path
from typing import Any

from tenants.config.engine import Outcome, apply_content
from tenants.lookup import find_tenant

# Contoso has guests from Fabrikam, so it comes last.
SLUGS = ("fabrikam", "tailspin", "contoso")


class DemoFileBroken(Exception):
    """A file of the demo that can't be applied: a fault of the product."""


def demo_file(slug: str) -> Path:
    return Path(__file__).with_name(f"{slug}.toml")


def read_demo_file(slug: str) -> dict[str, Any]:
    return tomllib.loads(demo_file(slug).read_text(encoding="utf-8"))


def apply_missing() -> list[Outcome]:
    """Makes those organisations that are not there yet. Raises DemoFileBroken."""
    outcomes = []
    for slug in SLUGS:
        if find_tenant(slug=slug) is not None:
            continue
        path = demo_file(slug)
        outcome = apply_content(path.read_bytes(), file=path.name)
        if not outcome.valid:
            raise DemoFileBroken("; ".join(f"{p.key}: {p.message}" for p in outcome.problems))
        outcomes.append(outcome)
    return outcomes
