"""The administration site of each tenant (design, section 5.5): its base, and what is about rules.

People, journeys and messages are registered by the apps that own them, in their own `admin`.
"""

from . import checks, organisation, trail
from .base import ReadOnlyAdmin, Section, SingleRowAdmin, TenantModelAdmin, choice_filter
from .site import TenantAdminSite, tenant_site

__all__ = [
    "ReadOnlyAdmin",
    "Section",
    "SingleRowAdmin",
    "TenantAdminSite",
    "TenantModelAdmin",
    "checks",
    "choice_filter",
    "organisation",
    "tenant_site",
    "trail",
]
