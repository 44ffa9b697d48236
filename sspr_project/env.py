"""Typed readers of the environment. A bad value stops the start with one clear line."""

import base64
import os
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit
from zoneinfo import available_timezones

RAW_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def stop(name: str, fix: str) -> NoReturn:
    sys.stderr.write(f"{name}: {fix}\n")
    raise SystemExit(78)


def env_text(name: str, default: str = "") -> str:
    """The value of `name`, or the content of the file that `NAME_FILE` points at."""
    path = os.environ.get(f"{name}_FILE", "")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            stop(f"{name}_FILE", f"the file can't be read: {path}")
    return os.environ.get(name, default).strip()


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env_text(name, default).split(",") if item.strip()]


def env_choice(name: str, choices: tuple[str, ...], default: str) -> str:
    value = env_text(name, default) or default
    if value not in choices:
        stop(name, f"use one of {', '.join(choices)}")
    return value


def env_url(name: str, schemes: tuple[str, ...], default: str = "") -> str:
    value = env_text(name) or default
    if value and _scheme(name, value) not in schemes:
        stop(name, f"use an address that starts with one of {', '.join(schemes)}")
    return value


def _scheme(name: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises when it is no number
    except ValueError:
        stop(name, "not an address; in a password write %2F for /, %23 for #, %3F for ?")
    return parts.scheme


def env_key(name: str, *, production: bool, development_default: str) -> str:
    """A secret of at least 32 characters; development has a default, production never."""
    value = env_text(name)
    if not value and not production:
        return development_default
    if len(value) < 32 or len(set(value)) < 8:
        stop(name, "set a random value of at least 32 characters")
    return value


def env_raw_key(name: str) -> str:
    """A key of 32 bytes in Base64, or nothing."""
    value = env_text(name)
    _check_raw(name, value)
    return value


def env_raw_keys(name: str) -> tuple[str, ...]:
    """Several of them, separated by commas."""
    values = tuple(env_list(name))
    for value in values:
        _check_raw(name, value)
    return values


def env_signed_keys(name: str) -> tuple[str, ...]:
    """Keys with what vouches for them, separated by commas: `KEY:SIGNATURE`, both in Base64."""
    values = tuple(env_list(name))
    for value in values:
        key, _, signature = value.partition(":")
        if (_length(key), _length(signature)) != (RAW_KEY_BYTES, SIGNATURE_BYTES):
            stop(name, "not KEY:SIGNATURE; manage.py signer --name-successor KEY makes one")
    return values


def _length(value: str) -> int | None:
    """Of what stands there in Base64; nothing if it is none."""
    try:
        return len(base64.b64decode(value, validate=True))
    except ValueError:
        return None


def _check_raw(name: str, value: str) -> None:
    length = _length(value)
    if length is None:
        stop(name, "not Base64; manage.py signer --new-key makes a key")
    if value and length != RAW_KEY_BYTES:
        stop(name, "a key has 32 bytes; manage.py signer --new-key makes one")


def env_networks(name: str) -> list[str]:
    """Addresses or networks, comma-separated: `10.0.0.1, 10.1.0.0/16`."""
    found = env_list(name)
    for text in found:
        try:
            ip_network(text, strict=False)
        except ValueError:
            stop(name, f"not an address or a network: {text}")
    return found


def env_zone(name: str, default: str) -> str:
    value = env_text(name, default) or default
    if value not in available_timezones():
        stop(name, "use the name of a time zone, such as Europe/Berlin")
    return value


def env_hosts(name: str) -> list[str]:
    """Host names or addresses, each alone or with a port behind a colon."""
    found = env_list(name)
    for text in found:
        try:
            parts = urlsplit(f"//{text}")
            is_host = parts.netloc == text and bool(parts.hostname) and parts.username is None
            parts.port  # noqa: B018 - raises when it is no number
        except ValueError:
            is_host = False
        if not is_host or "*" in text or not text.isascii():
            stop(name, f"write each as host or host:port: {text}")
    return found
