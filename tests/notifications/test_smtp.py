"""Commands that travel together: whatever a server answers to which, it is told as it was meant."""

import smtplib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from notifications.channels.smtp import hand_over
from tests.services.smtp import SmtpSink

FROM, TO = "reset@sspr.example", "alice@contoso.example"
LINES = [".", "..two", " a.", "last without an end"]
CONTENT = b"Subject: dots\r\n\r\n.\r\n..two\r\n a.\r\nlast without an end"


@pytest.mark.parametrize("says", [["250-PIPELINING"], ["250-PIPELINING", "250-SIZE 100000"], []])
def test_a_mail_arrives_as_it_was_written_whatever_the_server_can(
    smtp_sink: SmtpSink, says: list[str]
) -> None:
    smtp_sink.says = says
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as server:
        for _ in range(2):
            hand_over(server, FROM, TO, CONTENT)

    assert len(smtp_sink.mails) == 2
    for mail in smtp_sink.mails:
        assert (mail.sender, mail.recipients) == (FROM, [TO])
        assert str(mail.message.get_payload()).splitlines() == LINES


@pytest.mark.parametrize("says", [["250-PIPELINING"], []])
def test_after_a_recipient_that_is_refused_the_next_mail_goes_out(
    smtp_sink: SmtpSink, says: list[str]
) -> None:
    smtp_sink.says, smtp_sink.refuse_with = says, "550 no such user"
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as server:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            hand_over(server, FROM, TO, CONTENT)
        smtp_sink.refuse_with = None
        hand_over(server, FROM, TO, CONTENT)

    assert refused.value.recipients == {TO: (550, b"no such user")}
    assert len(smtp_sink.mails) == 1


@contextmanager
def answering(*answers: str) -> Iterator[tuple[smtplib.SMTP, list[bytes]]]:
    """A server with these answers, one for each command after EHLO and for the mail; what it was
    sent, line by line. It hangs up when it has no answer left."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, answers, heard))
        thread.start()
        server = smtplib.SMTP("127.0.0.1", listening.getsockname()[1])
        try:
            yield server, heard
        finally:
            server.close()
            thread.join(10)


def _serve(listening: socket.socket, answers: Sequence[str], heard: list[bytes]) -> None:
    connection, _ = listening.accept()
    with connection, connection.makefile("rwb") as line:

        def say(text: str) -> None:
            line.write(text.encode() + b"\r\n")
            line.flush()

        say("220 here")
        line.readline()
        say("250-here\r\n250 PIPELINING")
        for answer in answers:
            heard.append(line.readline().strip())
            rest = iter(line.readline, b"") if answer.startswith("mail ") else ()
            for more in rest:
                heard.append(more.strip())
                if more == b".\r\n":
                    break
            say(answer.removeprefix("mail "))


REFUSALS: dict[str, tuple[list[str], Callable[[smtplib.SMTPException], object], object]] = {
    "sender": (
        ["451 later", "503 no sender", "503 no recipient", "250 reset"],
        lambda error: (type(error), getattr(error, "smtp_code", 0)),
        (smtplib.SMTPSenderRefused, 451),
    ),
    "recipient": (
        ["250 ok", "550 nobody", "554 no recipient", "250 reset"],
        lambda error: getattr(error, "recipients", None),
        {TO: (550, b"nobody")},
    ),
    "recipient, and yet": (
        ["250 ok", "550 nobody", "354 go on", "554 nobody to send it to", "250 reset"],
        lambda error: getattr(error, "recipients", None),
        {TO: (550, b"nobody")},
    ),
    "sending": (
        ["250 ok", "250 ok", "452 full", "250 reset"],
        lambda error: (type(error), getattr(error, "smtp_code", 0)),
        (smtplib.SMTPDataError, 452),
    ),
    "content": (
        ["250 ok", "250 ok", "354 go on", "mail 554 spam", "250 reset"],
        lambda error: (type(error), getattr(error, "smtp_code", 0)),
        (smtplib.SMTPDataError, 554),
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_told_as_what_was_refused_and_nothing_is_left_unread(case: str) -> None:
    answers, told, expected = REFUSALS[case]
    with answering(*answers, "250 still here") as (server, heard):
        with pytest.raises(smtplib.SMTPException) as refused:
            hand_over(server, FROM, TO, CONTENT)
        assert told(refused.value) == expected
        assert server.noop() == (250, b"still here")

    assert heard[-2:] == [b"rset", b"noop"]
    assert (b"last without an end" in heard) == (case == "content")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (["421 enough"], smtplib.SMTPSenderRefused),
        (["250 ok", "250 ok", "421 enough"], smtplib.SMTPDataError),
        (["250 ok", "250 ok", "354 go on", "mail 421 enough"], smtplib.SMTPDataError),
        (["250 ok"], smtplib.SMTPServerDisconnected),
        ([], smtplib.SMTPServerDisconnected),
    ],
)
def test_a_server_that_is_closing_is_asked_nothing_more(
    answers: list[str], error: type[smtplib.SMTPException]
) -> None:
    with answering(*answers) as (server, heard):
        with pytest.raises(error):
            hand_over(server, FROM, TO, CONTENT)
        assert server.sock is None

    assert b"rset" not in heard
