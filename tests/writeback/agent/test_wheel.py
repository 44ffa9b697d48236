"""The agent as it is installed: without Django, with what its wheel says it needs and no more."""

import subprocess
import sys
import tomllib
import zipfile
from email.parser import BytesParser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from writeback.agent import VERSION

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([str(ROOT / "scripts" / "build-agent"), str(out)], check=True, timeout=120)
    [path] = out.glob("*.whl")
    return path


def _needed(requirements: list[str], found: set[str]) -> set[str]:
    """Names of the distributions that these need, and those in turn."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = distribution(requirement.name).metadata["Name"]
        if name not in found:
            found.add(name)
            _needed(distribution(name).requires or [], found)
    return found


def _metadata(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = BytesParser().parsebytes(archive.read(name))
    return list(metadata.get_all("Requires-Dist") or [])


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and the distributions it asks for: linked, because tests
    use no network."""
    folder = tmp_path_factory.mktemp("agent")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    uv = ROOT / ".venv-tools" / "bin" / "uv"
    install = [str(uv), "pip", "install", "--quiet", "--offline", "--no-cache", "--no-deps"]
    subprocess.run([*install, "--python", str(python), str(wheel)], check=True, timeout=120)
    [site] = folder.glob("lib/python*/site-packages")
    for name in _needed(_metadata(wheel), set()):
        for top in {Path(str(path)).parts[0] for path in distribution(name).files or []} - {".."}:
            link = site / top
            if not link.exists() and top != "__pycache__":
                link.symlink_to(Path(str(distribution(name).locate_file(top))))
    return folder


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

    assert {str(Requirement(text)) for text in _metadata(wheel)} <= {
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
