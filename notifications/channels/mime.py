"""A mail as the bytes that travel: headers, text and HTML (RFC 5322, 2045 to 2047)."""

import binascii
from collections.abc import Mapping
from email.header import Header
from email.utils import formataddr

_LINE = 60
"""The longest subject that is left as it is, so that its line stays below 78 characters."""
_EOL = "\r\n"


def mail_bytes(headers: Mapping[str, str], text: str, html: str, mark: str) -> bytes:
    """The whole mail. Header values are one ASCII line each, or come from `words` and `mailbox`.

    Bodies travel quoted-printable: no server has a reason to change them, and the boundary can't
    occur in them, because `=_` is nothing that encoding writes. `mark` keeps nested mails apart.
    """
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines.append("MIME-Version: 1.0")
    if not html:
        return _EOL.join(lines).encode("ascii") + b"\r\n" + _part("plain", text)
    boundary = f"=_{mark}"
    lines.append(f'Content-Type: multipart/alternative; boundary="{boundary}"')
    fence = f"\r\n--{boundary}".encode("ascii")
    parts = (_EOL.join(lines).encode("ascii") + _EOL.encode(), _part("plain", text))
    return (fence + b"\r\n").join((*parts, _part("html", html))) + fence + b"--\r\n"


def words(text: str) -> str:
    """One line of any script as the value of a header."""
    if len(text) <= _LINE and _is_plain(text):
        return text
    return Header(text, "utf-8", header_name="Subject").encode(linesep=_EOL)


def mailbox(name: str, address: str) -> str:
    """`name <address>` as the value of a header; the name may be of any script."""
    if _is_plain(name):
        return formataddr((name, address))
    encoded = Header(name, "utf-8", header_name="From").encode(linesep=_EOL)
    # On a line of its own: beside an encoded word the line would be longer than RFC 2047 allows.
    return f"{encoded}{_EOL} <{address}>"


def _is_plain(text: str) -> bool:
    """Whether ASCII says it, and nobody could take it for an encoded word."""
    return text.isascii() and "=?" not in text


def _part(kind: str, text: str) -> bytes:
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"{_EOL}'
        f"Content-Transfer-Encoding: quoted-printable{_EOL}{_EOL}"
    )
    lines = _EOL.join(text.splitlines()) + _EOL
    return head.encode("ascii") + binascii.b2a_qp(lines.encode(), istext=True)
