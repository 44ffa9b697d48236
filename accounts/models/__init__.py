"""People, what they own, and how they prove who they are."""

from .application import Application, Authorization, Consent, SigningKey, Token
from .belonging import GroupMember
from .contact import ContactPoint, contact_lookup
from .credential import Credential, credential_lookup
from .device import AuthenticatorDevice
from .import_run import ImportRun
from .provider import IdentityProvider, Redirection
from .question import QuestionAnswer
from .session import Session
from .user import User

__all__ = [
    "Application",
    "AuthenticatorDevice",
    "Authorization",
    "Consent",
    "ContactPoint",
    "Credential",
    "GroupMember",
    "IdentityProvider",
    "ImportRun",
    "QuestionAnswer",
    "Redirection",
    "Session",
    "SigningKey",
    "Token",
    "User",
    "contact_lookup",
    "credential_lookup",
]
