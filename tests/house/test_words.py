"""The repository holds no secret and no path of one machine, and uses the house's words."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCAN = ROOT / "scripts" / "scan"
UNWANTED = re.compile(r"(?:Helper|Util|Utils|Utility|Handler|Manager)$")


def unwanted_classes(source: str) -> list[str]:
    """Class names the house does not use. Subclasses of Django's managers keep their word."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        and UNWANTED.search(node.name)
        and not (
            node.name.endswith("Manager")
            and any("Manager" in ast.unparse(base) for base in node.bases)
        )
    ]


def scan(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCAN, *paths], capture_output=True, text=True, check=False)


def test_the_repository_holds_no_secret_and_no_path_of_one_machine() -> None:
    done = scan()

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN PRIVATE " + "KEY-----",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "see /" + "work/notes",
        "see /" + "root/.config",
        "see ../" + "shared/design",
    ],
)
def test_a_secret_or_a_path_is_found(tmp_path: Path, line: str) -> None:
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    clean.write_text("see docs/network.md\n", encoding="utf-8")
    dirty.write_text(f"\n{line}\n", encoding="utf-8")

    assert scan(clean).returncode == 0
    assert scan(dirty).returncode == 1
    assert scan(dirty).stdout.startswith(f"{dirty}:2: ")


def test_no_class_carries_a_name_that_says_nothing() -> None:
    folders = [
        "sspr_project",
        "resets",
        "writeback",
        "accounts",
        "notifications",
        "tenants",
        "tests",
    ]
    found = {
        str(path.relative_to(ROOT)): names
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (names := unwanted_classes(path.read_text(encoding="utf-8")))
    }

    assert found == {}


def test_only_managers_of_django_may_be_called_so() -> None:
    assert unwanted_classes("class FlowManager: ...") == ["FlowManager"]
    assert unwanted_classes("class FlowUtils: ...") == ["FlowUtils"]
    assert unwanted_classes("class FlowManager(models.Manager): ...") == []
