"""Text messages. An extension can't receive one; it is left out."""

from .phone import PhoneChannel


class SmsChannel(PhoneChannel):
    channel = "sms"
    dials_extension = False
