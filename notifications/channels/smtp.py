"""Handing one mail to a mail server, with as few waits as it allows."""

import smtplib

_EOL = b"\r\n"
_CLOSING = 421
_TAKEN = (250, 251)
_GO_ON = 354


def hand_over(server: smtplib.SMTP, sender: str, to: str, content: bytes) -> None:
    """Sends a mail of ASCII lines that end with CR LF, and raises what `SMTP.sendmail` raises.

    Sender, recipient and the wish to send travel together where the server takes several commands
    at once (RFC 2920), which is one wait instead of three. Both addresses are ASCII, without blanks
    and angle brackets.
    """
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("pipelining"):
        server.sendmail(sender, [to], content)
        return
    size = f" SIZE={len(content)}" if server.has_extn("size") else ""
    server.send(f"MAIL FROM:<{sender}>{size}\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode("ascii"))
    _read_answers(server, sender, to)
    server.send(_as_data(content))
    _check(server, *server.getreply())


def _read_answers(server: smtplib.SMTP, sender: str, to: str) -> None:
    """All three answers, whatever the first says: what is left unread would be taken for answers
    to the next mail. Only who is closing answers no more."""
    from_code, from_text = server.getreply()
    if from_code == _CLOSING:
        server.close()
        raise smtplib.SMTPSenderRefused(from_code, from_text, sender)
    to_code, to_text = server.getreply()
    data_code, data_text = server.getreply()
    is_refused = from_code != 250 or to_code not in _TAKEN
    if is_refused and data_code == _GO_ON:
        # It waits for a mail to nobody, and gets an empty one.
        server.send(b"." + _EOL)
        server.getreply()
    if from_code != 250:
        server.rset()
        raise smtplib.SMTPSenderRefused(from_code, from_text, sender)
    if is_refused:
        server.rset()
        raise smtplib.SMTPRecipientsRefused({to: (to_code, to_text)})
    if data_code != _GO_ON:
        _check(server, data_code, data_text)


def _check(server: smtplib.SMTP, code: int, text: bytes) -> None:
    if code == 250:
        return
    if code == _CLOSING:
        server.close()
    else:
        server.rset()
    raise smtplib.SMTPDataError(code, text)


def _as_data(content: bytes) -> bytes:
    """With a dot more where a line begins with one (RFC 5321, 4.5.2), and the one that ends it."""
    stuffed = (_EOL + content).replace(b"\r\n.", b"\r\n..")[2:]
    return stuffed + (b"" if stuffed.endswith(_EOL) else _EOL) + b"." + _EOL
