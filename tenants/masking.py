"""PURE. Hints: enough to recognise one's own number or mailbox, not enough to write to it."""

DOT = "•"


def masked_email(address: str) -> str:
    """`j••••@e••••.net`: one letter of the name, one of the domain, and the ending.

    The number of dots is fixed, so that the hint does not tell the length.
    """
    local, _, domain = address.partition("@")
    name, _, ending = domain.rpartition(".")
    return f"{local[:1]}{DOT * 4}@{name[:1]}{DOT * 4}.{ending}"


def masked_phone(number: str) -> str:
    """`+• •••••••42`: the last two digits."""
    digits = [char for char in number.partition("x")[0] if char.isdigit()]
    return f"+{DOT} {DOT * 7}{''.join(digits[-2:])}"


def masked_name(name: str) -> str:
    """`C•••• C••••`: the first letter of each part of a name, at most three."""
    return " ".join(f"{part[:1]}{DOT * 4}" for part in name.split()[:3])
