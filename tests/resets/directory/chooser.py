"""What somebody does who was asked for a new password."""

from tests.cast import NEW_PASSWORD
from tests.resets.visitor import Clock, Page, Visitor
from tests.writeback.field import sign_what_waits


def send(visitor: Visitor, clock: Clock, password: str = NEW_PASSWORD) -> Page:
    """Types a password; the signer signs what comes of it."""
    page = visitor.fill(new_password=password)
    sign_what_waits(clock.now)
    return page


def come_back(visitor: Visitor) -> Page:
    return visitor.get(f"/reset/{visitor.flow}/")
