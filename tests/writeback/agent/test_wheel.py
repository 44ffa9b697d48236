"""The agent as it is installed: without Django, with what its wheel says it needs and no more."""

import subprocess
import tomllib
import zipfile
from pathlib import Path

from packaging.requirements import Requirement

from tests.writeback.agent.installed import (  # noqa: F401
    ROOT,
    installed_fixture,
    requirements_of,
    wheel_fixture,
)
from writeback.agent import VERSION


def _run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(installed / "bin" / arguments[0]), *arguments[1:]],
        cwd=installed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )


def test_there_is_no_django_and_the_agent_speaks(installed: Path) -> None:
    django = _run(installed, "python", "-c", "import django")
    assert "No module named 'django'" in django.stderr

    said = _run(installed, "sspr-agent", "--help")
    assert (said.returncode, said.stderr) == (0, "")
    assert "enrol" in said.stdout
    assert _run(installed, "sspr-agent", "--version").stdout == f"sspr-agent {VERSION}\n"
    as_module = _run(installed, "python", "-m", "writeback.agent", "--version")
    assert as_module.stdout == f"sspr-agent {VERSION}\n"


def test_every_module_in_the_wheel_is_loaded_without_django(installed: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = [name for name in archive.namelist() if name.endswith(".py")]
    names = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files}
    names.discard("writeback.agent.__main__")
    code = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)"

    loaded = _run(installed, "python", "-W", "ignore", "-c", code, *sorted(names))

    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert {"writeback.execution", "writeback.connectors.base", "writeback.agent.run"} <= names
    assert not {"writeback.models", "writeback.jobs", "writeback.health"} & names


def test_a_wrong_configuration_is_told_in_one_line(installed: Path) -> None:
    (installed / "agent.toml").write_text('produkt = "x"\n')

    said = _run(installed, "sspr-agent", "run", "--config", "agent.toml")

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("sspr-agent: agent.toml:1: produkt is no key here")


def test_it_needs_the_versions_that_the_product_is_tested_with(wheel: Path) -> None:
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]

    assert {str(Requirement(text)) for text in requirements_of(wheel)} <= {
        str(Requirement(text)) for text in ours
    }
    assert VERSION in wheel.name


def test_the_example_configuration_is_one(installed: Path) -> None:
    example = ROOT / "deploy" / "agent" / "agent.example.toml"

    said = _run(installed, "sspr-agent", "status", "--config", str(example))

    assert "never ran here" in said.stdout


def test_every_key_of_the_configuration_is_in_the_documentation() -> None:
    from writeback.agent.config import KEYS

    text = (ROOT / "docs" / "agent.md").read_text()

    for table, keys in KEYS.items():
        for key in keys - {"directory", "limits"}:
            assert f"`{table}.{key}`".replace("`.", "`") in text, (table, key)
