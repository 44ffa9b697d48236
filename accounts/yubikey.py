"""PURE. What a YubiKey types: its public ID and one block that only its secret key opens."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MODHEX = "cbdefghijklnrtuv"
LENGTH = 44
PUBLIC_LENGTH = 12
KEY_BYTES = 16
PRIVATE_BYTES = 6
_CRC_RIGHT = 0xF0B8
_FROM_MODHEX = str.maketrans(MODHEX, "0123456789abcdef")
_TO_MODHEX = str.maketrans("0123456789abcdef", MODHEX)
_WIDE = {0xFF01 + offset: 0x21 + offset for offset in range(94)}


@dataclass(frozen=True)
class Touch:
    """One touch as it was typed: 44 modhex characters. It is a secret until it was judged."""

    text: str = field(repr=False)

    @property
    def public_id(self) -> str:
        return self.text[:PUBLIC_LENGTH]

    @property
    def block(self) -> bytes:
        return bytes.fromhex(self.text[PUBLIC_LENGTH:].translate(_FROM_MODHEX))


@dataclass(frozen=True)
class Opened:
    """What the block holds. position: session and use counter as one number that only rises."""

    private_id: bytes = field(repr=False)
    position: int = 0


def find_touch(typed: str) -> Touch | None:
    """The touch that was typed, or nothing where it can't be one. Case and blanks around it do not
    matter: a keyboard with caps lock on types capitals."""
    if len(typed) > 2 * LENGTH:
        return None
    text = "".join(sign for sign in typed if sign not in " -\u00a0\u202f\t\r\n")
    text = text.translate(_WIDE).lower()
    if len(text) != LENGTH or any(sign not in MODHEX for sign in text):
        return None
    return Touch(text)


def to_modhex(value: bytes) -> str:
    return value.hex().translate(_TO_MODHEX)


def is_public_id(text: str) -> bool:
    return len(text) == PUBLIC_LENGTH and all(sign in MODHEX for sign in text)


def checksum(block: bytes) -> int:
    """The CRC of ISO 13239, as the key computes it."""
    crc = 0xFFFF
    for byte in block:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0x8408 if crc & 1 else crc >> 1
    return crc


def find_opened(key: bytes, block: bytes) -> Opened | None:
    """What the block says under this key; nothing when another key made it."""
    # One block, which the key itself encrypts without a mode.
    opener = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - see above
    plain = opener.update(block) + opener.finalize()
    if checksum(plain) != _CRC_RIGHT:
        return None
    sessions = int.from_bytes(plain[6:8], "little") & 0x7FFF
    return Opened(plain[:PRIVATE_BYTES], sessions << 8 | plain[11])
