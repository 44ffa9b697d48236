"""Every channel there is, and which one carries a message here."""

from collections.abc import Callable

from django.conf import settings

from .base import Channel
from .email import EmailChannel
from .file import FileChannel
from .none import NoneChannel
from .push import PushChannel
from .sms import SmsChannel
from .voice import VoiceChannel

CHANNELS: dict[str, Callable[[], Channel]] = {
    "email": EmailChannel,
    "sms": SmsChannel,
    "voice": VoiceChannel,
    "push": PushChannel,
    "file": FileChannel,
    "none": NoneChannel,
}


def carrier(channel: str) -> str:
    """The entry that carries messages of `channel`: the file outbox, where one is set."""
    if channel != "none" and settings.SSPR_OUTBOX_DIR:
        return "file"
    return channel


class OpenChannels:
    """The channels that are in use, each made when it is first needed."""

    def __init__(self) -> None:
        self._open: dict[str, Channel] = {}

    def find(self, channel: str) -> Channel | None:
        name = carrier(channel)
        if name not in self._open:
            make = CHANNELS.get(name)
            if make is None:
                return None
            self._open[name] = make()
        return self._open[name]

    def close(self) -> None:
        """Lets go of all of them; what is needed later is made afresh."""
        for channel in self._open.values():
            channel.close()
        self._open.clear()
