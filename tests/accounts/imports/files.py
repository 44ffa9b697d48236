"""Files and people of the import tests."""

from datetime import UTC, datetime

from accounts.imports.runs import Declared, Importer
from accounts.models import ContactPoint, User
from tenants.audit import Party
from tests.cast import Acme

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MOBILE, OTHER = "+1 4255550171", "+1 4255550172"
ALL, ROWS = Declared(mode="all"), Declared(mode="rows")


def csv_of(*rows: str, heading: str = "user_id,mobile_phone") -> bytes:
    return "\n".join([heading, *rows, ""]).encode()


def importer(
    acme: Acme, *, administrators: bool = True, denied: frozenset[str] = frozenset()
) -> Importer:
    """Carol, who is a global administrator."""
    party = Party("administrator", acme.carol.pk, acme.carol.user_id)
    return Importer(party, acme.carol, administrators, denied)


def contacts_of(user: User) -> dict[str, tuple[str, bool, int]]:
    """Kind → value, whether it is confirmed, version; in the tenant in force."""
    return {
        row.kind: (row.read().reveal(), row.confirmed_at is not None, row.version)
        for row in ContactPoint.objects.filter(user=user)
    }
