"""The channel of decoys: takes the message and lets it go."""

from .base import Delivery, OutgoingMessage


class NoneChannel:
    """Nothing leaves, in no setting: a decoy is addressed to nobody."""

    def send(self, message: OutgoingMessage) -> Delivery:
        return Delivery()

    def close(self) -> None:
        """Holds nothing."""
