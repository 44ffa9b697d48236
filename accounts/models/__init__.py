"""People, what they own, and how they prove who they are."""

from .approval import ApprovalRequest
from .belonging import GroupMember
from .contact import ContactPoint, contact_lookup
from .credential import Credential, credential_lookup
from .device import AuthenticatorDevice
from .import_run import ImportRun
from .question import QuestionAnswer
from .session import Session
from .user import User

__all__ = [
    "ApprovalRequest",
    "AuthenticatorDevice",
    "ContactPoint",
    "Credential",
    "GroupMember",
    "ImportRun",
    "QuestionAnswer",
    "Session",
    "User",
    "contact_lookup",
    "credential_lookup",
]
