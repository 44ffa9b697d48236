"""The demo as somebody meets it: one command in a fresh copy of the product, then the browser."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from django.test import Client
from pytest_django import Settings

from sspr_project.demo.environment import demo_environment
from sspr_project.demo.folder import DemoRuns, empty, held
from sspr_project.demo.organisations import SLUGS, apply_missing, read_demo_file
from sspr_project.demo.server import PortTaken, open_server
from sspr_project.demo.tour import PEOPLE, tour
from tests.services.ports import NotReady, free_port, wait_until
from tests.services.session import ROOT

BOB, NEW_PASSWORD = "bob@contoso.example", "Quiet-Harbour 7 Lanterns"
TICKET = re.compile(r'name="ticket" value="([^"]+)"')


def fresh_copy(folder: Path) -> Path:
    """What a clone would have: the files of the repository, nothing that was made from them."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@dataclass
class Demo:
    """A running demo, ended by its own handle alone."""

    folder: Path
    port: int
    process: subprocess.Popen[str]
    printed: str = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def stop(self) -> tuple[int, str]:
        """Its exit status and all it printed."""
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.send_signal(signal.SIGTERM)  # does nothing once the process has ended
            self.printed, _ = self.process.communicate(timeout=20)
        return self.process.returncode, self.printed


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(folder / "manage.py"), "demo", *arguments]


def bare_environment() -> dict[str, str]:
    """No setting of the tests: the demo brings its own."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("SSPR_", "DATABASE_", "DJANGO_", "EMAIL_", "REDIS_", "COV_"))
    }


def start(folder: Path) -> Demo:
    port = free_port()
    process = subprocess.Popen(
        command(folder, "--port", str(port)),
        cwd=folder,
        env=bare_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    demo = Demo(folder, port, process)

    def answers() -> bool:
        if process.poll() is not None:
            raise NotReady(demo.stop()[1])
        try:
            return httpx.get(f"{demo.url}/healthz", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, "the demo", seconds=60)
    except BaseException:
        demo.stop()
        raise
    return demo


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = start(fresh_copy(tmp_path / "product"))
    yield running
    running.stop()


class Form(HTMLParser):
    """The first form of a page with a main button: where it goes and what it carries."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and not self.action and found.get("method") == "post":
            self.action, self._inside = found.get("action") or "", True
        elif self._inside and tag == "input" and found.get("type") == "hidden":
            self.fields[found.get("name") or ""] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def send(client: httpx.Client, page: httpx.Response, **typed: str) -> httpx.Response:
    form = Form(page.text)
    answer = client.post(
        form.action,
        data={**form.fields, **typed},
        headers={"Origin": "null"} | {"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 200, answer.text
    return answer


def state_of(page: httpx.Response) -> str:
    found = re.search(r'data-state="(\w*)"', page.text)
    return found[1] if found else ""


def codes(client: httpx.Client, path: str, label: str) -> list[str]:
    """The six digits in each table row that names `label`."""
    rows = client.get(path).text.split("<tr>")
    return [found[0] for row in rows if label in row and (found := re.search(r"\b\d{6}\b", row))]


def walk_a_reset(demo: Demo) -> str:
    """Over HTTP, as a browser without JavaScript does it. The state it ends in."""
    with httpx.Client(base_url=demo.url, follow_redirects=True, timeout=30) as client:
        page = send(client, client.get("/reset/"), user_id=BOB)
        assert state_of(page) == "waiting"

        def goes_on() -> bool:
            nonlocal page
            page = client.get("/reset/wait/")
            return state_of(page) == "proving"

        wait_until(goes_on, "the waiting ticket")
        [app_code] = codes(client, "/demo/codes/", BOB)
        page = send(client, page, code=app_code)
        page = send(client, page, contact="bob@example.net")
        wait_until(lambda: bool(codes(client, "/demo/outbox/", "bob@example.net")), "the message")
        page = send(client, page, code=codes(client, "/demo/outbox/", "bob@example.net")[0])
        return state_of(send(client, page, new_password=NEW_PASSWORD))


@pytest.mark.slow
def test_a_reset_in_a_fresh_copy_ends_well_and_outlives_a_second_start(demo: Demo) -> None:
    assert walk_a_reset(demo) == "done"
    status, printed = demo.stop()
    again = subprocess.run(
        command(demo.folder, "--no-serve"),
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert status == 0
    assert f"{demo.url}/demo/outbox/" in printed
    assert "Traceback" not in printed
    assert (again.returncode, again.stderr) == (0, "")
    assert done_in(demo.folder / "var" / "demo" / "demo.sqlite3") == 1


def done_in(database: Path) -> int:
    with sqlite3.connect(database) as connection:
        query = "SELECT count(*) FROM resets_flow WHERE state = 'done'"
        [found] = connection.execute(query).fetchone()
    connection.close()
    return int(found)


def test_the_demo_takes_nothing_of_an_installation_but_its_address(tmp_path: Path) -> None:
    given = {
        "PATH": "/bin",
        "SSPR_ENV": "production",
        "SSPR_MASTER_KEY_FILE": "/run/key",
        "DATABASE_URL": "postgres://real",
        "DATABASE_OWNER_URL_FILE": "/run/url",
        "SSPR_BASE_URL": "https://demo.example:8443",
    }

    made = demo_environment(given, tmp_path, 8000)

    assert made["SSPR_BASE_URL"] == "https://demo.example:8443"
    assert "demo.example" in made["SSPR_ALLOWED_HOSTS"].split(",")
    assert made["DATABASE_URL"] == f"sqlite:///{tmp_path}/demo.sqlite3"
    assert made["PATH"] == "/bin"
    assert not {"SSPR_ENV", "SSPR_MASTER_KEY_FILE", "DATABASE_OWNER_URL_FILE"} & made.keys()
    assert demo_environment(made, tmp_path, 8000) == made


def test_one_demo_holds_its_folder_and_tells_the_next_one_where_it_is(tmp_path: Path) -> None:
    first, second = held(tmp_path, "http://localhost:1"), held(tmp_path, "elsewhere")
    with first, pytest.raises(DemoRuns, match="http://localhost:1"), second:
        raise AssertionError("two demos hold one folder")

    with held(tmp_path, "http://localhost:2"):
        assert (tmp_path / "running").read_text(encoding="utf-8") == "http://localhost:2"


def test_a_taken_port_is_told_apart() -> None:
    port = free_port()

    with open_server(port), pytest.raises(PortTaken):
        open_server(port)


def test_a_reset_of_the_demo_removes_what_the_demo_made_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    made = ["demo.sqlite3", "demo.sqlite3-wal", "outbox/1.json"]
    for name in [*made, "outbox/notes.txt", "mine.sqlite3"]:
        (tmp_path / name).touch()

    empty(tmp_path)

    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"outbox/notes.txt", "mine.sqlite3"}


@pytest.mark.django_db
def test_the_files_of_the_demo_apply_without_a_problem_and_once() -> None:
    first, second = apply_missing(), apply_missing()

    assert [outcome.tenant for outcome in first] == list(SLUGS)
    assert all(outcome.applied for outcome in first)
    assert second == []


def test_the_printed_tour_names_people_who_exist_and_every_sign_in() -> None:
    printed = "\n".join(tour("http://localhost:8000", 8000, administration=True))
    files = [read_demo_file(slug) for slug in SLUGS]
    people = {person["id"]: person for file in files for person in file["users"]}
    guests = {guest["email"] for file in files for guest in file.get("guests", ())}

    assert set(PEOPLE) - set(people) - guests == {"nobody@contoso.example"}
    assert all(name in printed for name in PEOPLE)
    for person in people.values():
        known = "password" in person and person["password"] in printed
        assert known == bool(person.get("roles"))
    assert "http://contoso.localhost:8000/" in printed
    assert "http://localhost:8000/admin/" in printed


@pytest.mark.parametrize("path", ["/demo/outbox/", "/demo/codes/"])
@pytest.mark.django_db
def test_the_pages_of_the_demo_do_not_exist_in_an_installation(
    client: Client, settings: Settings, path: str
) -> None:
    assert not settings.SSPR_DEMO
    assert client.get(path).status_code == 404
