"""Files stay below 400 lines and functions below 40, because what is longer is not read."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES, FUNCTION_LINES = 400, 40
SUFFIXES = {".py", ".css", ".js", ".html"}
NOT_COUNTED = {"migrations", "locale", "tests"}
JS_TEXT = re.compile(
    r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`", re.DOTALL
)
JS_FUNCTION = re.compile(
    r"\bfunction\b[^{;]*\{|=>\s*\{|^\s+(?:async\s+)?(?!if|for|while|switch|catch)\w+\([^;{}]*\)\s*\{",
    re.MULTILINE,
)


def sources() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = map(Path, sorted(set(filter(None, listing.split("\0")))))
    return [
        path
        for path in paths
        if path.suffix in SUFFIXES and not NOT_COUNTED & set(path.parts) and (ROOT / path).is_file()
    ]


def python_functions(source: str) -> Iterator[tuple[str, int]]:
    """Name and lines of each function from `def` to its end, its docstring not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            is_documented = ast.get_docstring(node, clean=False) is not None
            docstring = (first.end_lineno or 0) - first.lineno + 1 if is_documented else 0
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring


def script_functions(source: str) -> Iterator[tuple[str, int]]:
    """Opening text and lines of each function with a block, comments and strings blanked out."""
    code = JS_TEXT.sub(lambda match: "\n" * match[0].count("\n"), source)
    for match in JS_FUNCTION.finditer(code):
        depth, end = 1, match.end()
        while depth and end < len(code):
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        yield match[0].strip(), code.count("\n", match.start(), end) + 1


def too_long(name: str, source: str) -> list[str]:
    """What in one file passes a ceiling."""
    lines = source.count("\n") + 1
    found = [f"{name}: {lines} lines"] if lines > FILE_LINES + 1 else []
    read = {".py": python_functions, ".js": script_functions}.get(Path(name).suffix)
    functions = read(source) if read else ()
    return found + [
        f"{name}: {function} has {lines} lines"
        for function, lines in functions
        if lines > FUNCTION_LINES
    ]


def test_no_file_and_no_function_passes_its_ceiling() -> None:
    found = [
        line
        for path in sources()
        for line in too_long(str(path), (ROOT / path).read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize(
    ("name", "line", "shape"),
    [
        ("a.py", "    x = 1\n", "def f() -> None:\n{}"),
        ("a.js", "  x();\n", "function f() {{\n{}}}\n"),
        ("a.js", "  x();\n", "const f = (a) => {{\n{}}};\n"),
    ],
)
def test_the_ceiling_of_functions_counts(name: str, line: str, shape: str) -> None:
    assert too_long(name, shape.format(line * 30)) == []
    assert too_long(name, shape.format(line * 41)) != []


@pytest.mark.parametrize("name", ["a.py", "a.css", "a.html"])
def test_the_ceiling_of_files_counts(name: str) -> None:
    assert too_long(name, "\n" * 400) == []
    assert too_long(name, "\n" * 401) != []
