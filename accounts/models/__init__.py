"""People, what they own, and how they prove who they are."""

from .application import Application, Authorization, Consent, SigningKey, Token
from .approval import Approval
from .approval_request import ApprovalRequest
from .belonging import GroupMember
from .contact import ContactPoint, contact_lookup
from .credential import Credential, credential_lookup
from .device import AuthenticatorDevice
from .import_run import ImportRun
from .invitation import Invitation
from .method_settings import MethodSettings
from .provider import IdentityProvider, Redirection
from .question import QuestionAnswer
from .registration import MethodUndo, PendingRegistration
from .session import Session
from .signin import FamiliarPlace, ProofChallenge, SignInLock
from .user import User

__all__ = [
    "Application",
    "Approval",
    "ApprovalRequest",
    "AuthenticatorDevice",
    "Authorization",
    "Consent",
    "ContactPoint",
    "Credential",
    "FamiliarPlace",
    "GroupMember",
    "IdentityProvider",
    "ImportRun",
    "Invitation",
    "MethodSettings",
    "MethodUndo",
    "PendingRegistration",
    "ProofChallenge",
    "QuestionAnswer",
    "Redirection",
    "Session",
    "SignInLock",
    "SigningKey",
    "Token",
    "User",
    "contact_lookup",
    "credential_lookup",
]
