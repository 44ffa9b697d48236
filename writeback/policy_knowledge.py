"""What this app knows about policies: whether the tenant is synchronised."""

from typing import Any

from django.db.models import Exists, QuerySet

from accounts.models import User
from tenants.models import Tenant
from tenants.policy_knowledge import KNOWN

from .models import Connector


def synchronised_rows() -> QuerySet[Tenant]:
    """The tenant's row, where it has a directory or somebody's password is kept in one (5.4); for a
    `Reading` too."""
    people: Any = User.objects.exclude(source=User.Source.CLOUD)
    is_synchronised = Exists(Connector.objects.all()) | Exists(people)
    return Tenant.objects.filter(is_synchronised).only("pk")


def is_synchronised() -> bool:
    return bool(synchronised_rows().exists())


KNOWN.is_synchronised = is_synchronised
