"""Production refuses what is unsafe, each with one line; development just starts."""

import os
import subprocess
import sys

import pytest

from tests.services.session import ROOT

KEY, OTHER_KEY = "k9X2mPq7vRt4wYz8bNc3dFg6hJs5aLe1", "Zt5!qW8eRy2uIo4pAs6dFg9hJk1lXc3v"
PRODUCTION = {
    "SSPR_ENV": "production",
    "SSPR_SECRET_KEY": KEY,
    "SSPR_MASTER_KEY": OTHER_KEY,
    "SSPR_BASE_URL": "https://reset.example.org",
    "SSPR_ALLOWED_HOSTS": "reset.example.org",
    "DATABASE_URL": "postgres://sspr_app:hunter2@127.0.0.1/sspr",
}
SHOW = (
    "from sspr_project import settings as s;"
    "print(s.DEBUG, s.SESSION_COOKIE_NAME, s.FLOW_COOKIE_NAME, s.CSRF_COOKIE_SECURE,"
    " s.SECURE_HSTS_SECONDS, s.SECURE_PROXY_SSL_HEADER)"
)


def read_settings(**env: str) -> subprocess.CompletedProcess[str]:
    """What reading the settings prints, in this environment and no other."""
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_production_with_safe_values_starts() -> None:
    done = read_settings(**PRODUCTION)

    assert done.stderr == ""
    assert done.stdout.split() == [
        "False",
        "__Host-sspr_session",
        "__Host-sspr_flow",
        "True",
        str(2 * 365 * 24 * 3600),
        "None",
    ]


def test_development_starts_from_nothing() -> None:
    done = read_settings()

    assert done.returncode == 0
    assert done.stdout.split()[:4] == ["False", "sspr_session", "sspr_flow", "False"]


def test_the_forwarded_scheme_counts_behind_trusted_proxies_only() -> None:
    done = read_settings(**PRODUCTION, SSPR_TRUSTED_PROXIES="10.0.0.0/8")

    assert "HTTP_X_FORWARDED_PROTO" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SSPR_ENV", "prod", "use one of development, production"),
        ("SSPR_SECRET_KEY", "", "at least 32"),
        ("SSPR_SECRET_KEY", "short", "at least 32"),
        ("SSPR_MASTER_KEY", "", "at least 32"),
        ("SSPR_MASTER_KEY", "a" * 99, "at least 32"),
        ("SSPR_BASE_URL", "http://reset.example.org", "https://"),
        ("SSPR_BASE_URL", "reset.example.org", "http, https"),
        ("SSPR_ALLOWED_HOSTS", "*", "name the shared host names"),
        ("SSPR_DEMO", "1", "not for production"),
        ("SSPR_OUTBOX_DIR", "outbox", "not for production"),
        ("DATABASE_URL", "sqlite:///sspr.sqlite3", "no row-level security"),
        ("DATABASE_URL", "", "no row-level security"),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "postgres"),
        ("DATABASE_URL", "postgres://u:hunter2@h:port/d", "not an address"),
        ("DATABASE_OWNER_URL", "sqlite:///x", "postgres"),
        ("EMAIL_URL", "imap://u:hunter2@h", "smtp"),
        ("EMAIL_URL", "smtp://u:hunter2@h:port", "not an address"),
        ("SSPR_TRUSTED_PROXIES", "10.0.0.1, proxy.example", "not an address or a network"),
        ("SSPR_TIME_ZONE", "Europe/Atlantis", "the name of a time zone"),
    ],
)
def test_production_refuses_with_one_line(name: str, value: str, words: str) -> None:
    done = read_settings(**{**PRODUCTION, name: value})

    assert done.returncode == 78
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{name}: ")
    assert words in line
    assert "hunter2" not in line
