"""The site of those who run the installation: organisations, plans, names, health (R-4).

Nothing here reads a tenant's people, codes or secrets; every access to an organisation is written
into its own audit trail before anything of it is shown.
"""

from .site import OperatorSite

__all__ = ["OperatorSite"]
