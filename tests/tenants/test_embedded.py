"""The embedded database of the demo: what is written in SQL by hand works on SQLite too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.session import ROOT
from tests.tenants.embedded import TRIED


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong, by what was tried, in one process on a fresh file."""
    file: Path = tmp_path_factory.mktemp("embedded") / "sspr.sqlite3"
    done = subprocess.run(
        [sys.executable, "-m", "tests.tenants.embedded"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{file}",
            "DATABASE_OWNER_URL": "",
            "DJANGO_SETTINGS_MODULE": "sspr_project.settings",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", [tried.__name__ for tried in TRIED])
def test_on_sqlite(name: str, wrong: dict[str, str]) -> None:
    assert wrong[name] == ""
