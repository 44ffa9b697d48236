"""People, what they own, and how they prove who they are."""

from .approval import Approval
from .belonging import GroupMember
from .contact import ContactPoint, contact_lookup
from .credential import Credential, credential_lookup
from .device import AuthenticatorDevice
from .import_run import ImportRun
from .invitation import Invitation
from .method_settings import MethodSettings
from .question import QuestionAnswer
from .session import Session
from .user import User

__all__ = [
    "Approval",
    "AuthenticatorDevice",
    "ContactPoint",
    "Credential",
    "GroupMember",
    "ImportRun",
    "Invitation",
    "MethodSettings",
    "QuestionAnswer",
    "Session",
    "User",
    "contact_lookup",
    "credential_lookup",
]
