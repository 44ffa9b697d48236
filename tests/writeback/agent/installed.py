"""The agent's wheel, built and installed into an environment of its own without Django."""

import subprocess
import sys
import zipfile
from email.parser import BytesParser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(name="wheel", scope="session")
def wheel_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([str(ROOT / "scripts" / "build-agent"), str(out)], check=True, timeout=120)
    [path] = out.glob("*.whl")
    return path


def needed_by(requirements: list[str], found: set[str]) -> set[str]:
    """Names of the distributions that these need, and those in turn."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = distribution(requirement.name).metadata["Name"]
        if name not in found:
            found.add(name)
            needed_by(distribution(name).requires or [], found)
    return found


def requirements_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = BytesParser().parsebytes(archive.read(name))
    return list(metadata.get_all("Requires-Dist") or [])


@pytest.fixture(name="installed", scope="session")
def installed_fixture(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and the distributions it asks for: linked, because tests
    use no network."""
    folder = tmp_path_factory.mktemp("agent")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    uv = ROOT / ".venv-tools" / "bin" / "uv"
    install = [str(uv), "pip", "install", "--quiet", "--offline", "--no-cache", "--no-deps"]
    subprocess.run([*install, "--python", str(python), str(wheel)], check=True, timeout=120)
    [site] = folder.glob("lib/python*/site-packages")
    for name in needed_by(requirements_of(wheel), set()):
        for top in {Path(str(path)).parts[0] for path in distribution(name).files or []} - {".."}:
            link = site / top
            if not link.exists() and top != "__pycache__":
                link.symlink_to(Path(str(distribution(name).locate_file(top))))
    return folder
