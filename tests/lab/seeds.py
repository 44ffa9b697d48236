"""Who lives in the lab's domain, and what its rules are."""

from dataclasses import dataclass
from typing import Literal

REALM = "CORP.EXAMPLE.TEST"
DOMAIN = REALM.lower()
BASE = "DC=corp,DC=example,DC=test"
FIRST_PASSWORD = "First-Lantern-71"
ADMINISTRATOR_PASSWORD = "Lab-Admin-Orchard-58"

Unit = Literal["Staff", "Outside", "Service"]
"""Only in Staff may the service account reset and unlock."""
Mark = Literal["disabled", "must_change", "protected", "account_expired"]


@dataclass(frozen=True)
class Seed:
    """Somebody of the domain. name: the account's; marks: what is special about them."""

    name: str
    unit: Unit = "Staff"
    password: str = FIRST_PASSWORD
    marks: tuple[Mark, ...] = ()
    mail: str = ""
    manager: str = ""

    @property
    def login(self) -> str:
        return f"{self.name}@{DOMAIN}"

    @property
    def place(self) -> str:
        return f"CN={self.name},OU={self.unit},{BASE}"


SERVICE = Seed("svc.writeback", "Service", "Svc-Writeback-Meadow-3")
"""May reset, unlock and ask for another password at the next sign-in, in Staff."""
RESETS_ONLY = Seed("svc.resets", "Service", "Svc-Resets-Meadow-5")
"""May reset in Staff, and write neither a lock nor when a password was set."""
POWERLESS = Seed("svc.reader", "Service", "Svc-Reader-Meadow-4")
"""May read like everybody and nothing else."""
ABLE = Seed("ada.able", mail=f"ada.able@{DOMAIN}", manager="mona.manager")
LOCKABLE = Seed("leo.lockable")
DISABLED = Seed("dina.disabled", marks=("disabled",))
MUST_CHANGE = Seed("milo.mustchange", marks=("must_change",))
PROTECTED = Seed("pam.protected", marks=("protected",))
OUTSIDE = Seed("otto.outside", "Outside")
EXPIRED = Seed("eva.expired", marks=("account_expired",))
MANAGER = Seed("mona.manager", mail=f"mona.manager@{DOMAIN}")
CANARY = Seed("carla.canary", password="Canary-Thicket-9-stays")
"""Nobody's test changes her; whoever looks for leaks looks for her password."""

SEEDS = (
    SERVICE,
    RESETS_ONLY,
    POWERLESS,
    MANAGER,
    ABLE,
    LOCKABLE,
    DISABLED,
    MUST_CHANGE,
    PROTECTED,
    OUTSIDE,
    EXPIRED,
    CANARY,
)

# Reset Password is an extended right; the other two are attributes to write.
RESET = ("CR", "00299570-246d-11d0-a768-00aa006e0529")
LOCKOUT_TIME = ("WP", "28630ebf-41d5-11d1-a9c1-0000f80367c1")
PWD_LAST_SET = ("WP", "bf967a0a-0de6-11d0-a285-00aa003049e2")
DELEGATED = {SERVICE.name: [RESET, LOCKOUT_TIME, PWD_LAST_SET], RESETS_ONLY.name: [RESET]}
"""What each account may do to the people of Staff."""

RULES = {
    "minPwdLength": 10,
    "pwdHistoryLength": 5,
    "pwdProperties": 1,
    "lockoutThreshold": 3,
    "lockoutDuration": -30 * 60 * 10_000_000,
    "lockOutObservationWindow": -30 * 60 * 10_000_000,
    "minPwdAge": 0,
    "maxPwdAge": -42 * 86_400 * 10_000_000,
}
"""As the domain's own entry holds them: intervals are negative counts of 100 ns."""
