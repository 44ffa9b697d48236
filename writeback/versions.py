"""PURE. Versions of the agent: which one this is, and what is expected of those in the field."""

import re

from .health import Version, Versions

AGENT = "0.1.0"
RECOMMENDED = "0.1.0"
VERSIONS = Versions(reports=(0, 1, 0), recommended=(0, 1, 0))
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})")


def read_version(text: str) -> Version:
    """`1.2.3` as numbers; what is no version is older than every one."""
    found = _VERSION.match(text)
    return tuple(int(part) for part in found.groups()) if found else ()
