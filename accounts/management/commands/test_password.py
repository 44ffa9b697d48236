"""`manage.py test_password USER_ID`: do the rules for this user accept a password?

The password comes on standard input, so that it stands in no process list and no shell history.
"""

import json
import sys
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import check_password
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identifiers import canonical, find_domain
from accounts.models import User
from accounts.password_checks import strength_of, terms_for, violations
from accounts.passwords.messages import message
from accounts.passwords.names import forbids_current_password
from accounts.passwords.rules import Violation, normalise_for_hashing
from accounts.people import find_user, guest_lookup
from tenants.context import tenant_context
from tenants.lookup import find_tenant, tenants_of_guest
from tenants.models import ResetPolicy, Subscription, Tenant
from tenants.secret import Secret


class Command(BaseCommand):
    help = "Say whether the rules that hold for this user accept a password from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user_id")
        parser.add_argument("--operation", choices=["reset", "change"], default="reset")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--tenant", metavar="SLUG", help="look in this tenant only")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = _find_tenant(canonical(options["user_id"]), options["tenant"])
        if tenant is None:
            raise CommandError("nobody has this user ID", returncode=2)
        password = _read_password()
        with tenant_context(tenant):
            user = find_user(options["user_id"])
            if user is None:
                raise CommandError("nobody has this user ID", returncode=2)
            answer = _judge(user, password, options["operation"])
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        self.stdout.write("accepted" if answer["accepted"] else "not accepted")
        for violation in answer["violations"]:
            self.stdout.write(f"  {violation['code']}: {violation['message']}")
        self.stdout.write(f"  strength {answer['score']} of 4 ({answer['strength']})")


def _find_tenant(user_id: str, slug: str | None) -> UUID | None:
    if slug:
        return find_tenant(slug=slug)
    domain = find_domain(user_id)
    owner = find_tenant(domain=domain) if domain else None
    if owner is not None or "@" not in user_id or not user_id.isascii():
        return owner
    knowing = tenants_of_guest(guest_lookup(user_id))
    return knowing[0] if len(knowing) == 1 else None


def _read_password() -> Secret[str]:
    """Everything up to the line end; the line end itself is not part of it."""
    data = sys.stdin.buffer.readline() if hasattr(sys.stdin, "buffer") else sys.stdin.readline()
    try:
        text = data.decode() if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise CommandError("the password has to be UTF-8", returncode=2) from None
    return Secret(text.removesuffix("\n").removesuffix("\r"))


def _judge(user: User, password: Secret[str], operation: Any) -> dict[str, Any]:
    terms = terms_for(
        user,
        Tenant.objects.get(),
        ResetPolicy.objects.first(),
        Subscription.objects.first(),
        operation,
    )
    found = list(violations(password, terms))
    if forbids_current_password(terms.context) and not found and _is_current(user, password, terms):
        found.append(Violation("reused"))
    rated = strength_of(password, terms)
    return {
        "accepted": not found,
        "violations": [{"code": v.code, "message": message(v)} for v in found],
        "score": rated.score,
        "strength": rated.word,
    }


def _is_current(user: User, password: Secret[str], terms: Any) -> bool:
    if not user.has_usable_password():
        return False
    return check_password(normalise_for_hashing(password.reveal(), terms.rules), user.password)
