"""The bytes of a mail, read back by the standard library."""

from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage, MIMEPart

import pytest

from notifications.channels.mime import mail_bytes, mailbox, words

MARK = "0123456789abcdef"


def read(content: bytes) -> EmailMessage:
    found: EmailMessage = message_from_bytes(content, policy=policy.default)
    assert found.defects == []
    return found


def a_mail(text: str = "text\n", html: str = "<p>text</p>\n", **headers: str) -> bytes:
    return mail_bytes({"To": "alice@contoso.example", **headers}, text, html, MARK)


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return content_of(found)


def content_of(found: MIMEPart) -> str:
    return str(found.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize(
    "text",
    [
        "one line\n",
        "\nan empty line first\n\n\nand some between\n",
        "blanks at the end   \nand a tab\t\n",
        ".\n..\n.dots at the begin\n",
        "From somebody\n>From\n",
        "signs = that =3D mean something =\n",
        f"a long line: {'x' * 3000}\n",
        "Grüße, 你好, مرحبا, 🙂\n",
        f"--=_{MARK}\nnot the end\n--=_{MARK}--\n",
    ],
)
def test_any_text_arrives_as_it_was(text: str) -> None:
    content = a_mail(text, f"<pre>{text}</pre>\n")
    mail = read(content)

    assert part(mail, "plain") == text
    assert part(mail, "html") == f"<pre>{text}</pre>\n"
    assert len(list(mail.iter_parts())) == 2
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_a_mail_without_html_is_a_text() -> None:
    mail = read(a_mail("just text\n", ""))

    assert (mail.get_content_type(), content_of(mail)) == ("text/plain", "just text\n")


@pytest.mark.parametrize(
    "subject",
    [
        "Contoso account email verification code",
        "Ihr Code für „Müller & Söhne“",
        "رمز التحقق من البريد الإلكتروني لحساب شركة طويلة الاسم جدا جدا جدا",
        "=?utf-8?q?taken_for_something_else?=",
        f"a long one {'word ' * 30}end",
        f"a long word {'x' * 200}",
    ],
)
def test_any_subject_arrives_as_it_was_on_short_lines(subject: str) -> None:
    content = a_mail(Subject=words(subject))

    assert read(content)["Subject"] == subject
    assert max(map(len, content.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "name",
    ["Contoso", 'A "quoted" <name>, and more', "Müller & Söhne", "=?utf-8?q?x?="],
)
def test_any_name_arrives_as_it_was_beside_its_address(name: str) -> None:
    content = a_mail(From=mailbox(name, "no-reply@sspr.example"))

    [address] = read(content)["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, "no-reply@sspr.example")


def test_a_long_name_of_any_script_is_written_on_short_lines() -> None:
    name = "شركة" * 25

    content = a_mail(From=mailbox(name, "no-reply@sspr.example"))

    # Not by the newer reader, which puts blanks between the parts of a long word.
    [(said, _), (address, _)] = _parts(message_from_bytes(content)["From"])
    assert (said, address.strip()) == (name, "<no-reply@sspr.example>")
    assert max(map(len, content.split(b"\r\n"))) <= 78


def _parts(value: str) -> list[tuple[str, str | None]]:
    return [
        (text.decode(charset or "ascii") if isinstance(text, bytes) else text, charset)
        for text, charset in decode_header(value)
    ]
