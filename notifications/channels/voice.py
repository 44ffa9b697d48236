"""Calls that speak. Callers leave out the extension unless the tenant wants it dialled."""

from .phone import PhoneChannel


class VoiceChannel(PhoneChannel):
    channel = "voice"
    dials_extension = True
