"""The environment of the demo: its own database, outbox and keys, never those of an installation.

Settings are read once, before any command runs. So the command starts itself again in this
environment; asked for it in the environment it made, `demo_environment` changes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

DATABASE, OUTBOX = "demo.sqlite3", "outbox"
SHARED_HOSTS = "localhost,127.0.0.1,[::1]"
_OWN = frozenset({"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL"})


def demo_environment(given: Mapping[str, str], folder: Path, port: int) -> dict[str, str]:
    """`given` with every setting of the product replaced, except SSPR_BASE_URL.

    The keys of an installation are left out too: the demo's are the well-known ones of
    development, so that its database still opens at the next start.
    """
    base_url = given.get("SSPR_BASE_URL") or f"http://localhost:{port}"
    hosts = SHARED_HOSTS.split(",")
    name = urlsplit(base_url).hostname or ""
    if name and name not in hosts:
        hosts.append(name)
    return {
        **{key: value for key, value in given.items() if not _is_setting(key)},
        "DJANGO_SETTINGS_MODULE": "sspr_project.settings",
        "SSPR_DEMO": "1",
        "SSPR_BASE_URL": base_url,
        "SSPR_ALLOWED_HOSTS": ",".join(hosts),
        "SSPR_OUTBOX_DIR": str(folder / OUTBOX),
        "DATABASE_URL": f"sqlite:///{folder / DATABASE}",
    }


def _is_setting(key: str) -> bool:
    return key.startswith("SSPR_") or key.removesuffix("_FILE") in _OWN
