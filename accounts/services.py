"""What administrators do with people, one function an intent, each with its line in the trail.

All work for the tenant in force, in the caller's transaction, and raise Invalid with the field it
concerns. Whether the actor may do it at all is asked before, where the actor came in.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tenants import audit
from tenants.audit import Event, Party
from tenants.config.shapes import faults
from tenants.config.tenant_section import is_language, language_fix
from tenants.invalid import Invalid, refusal
from tenants.models import Domain, Group, Subscription
from tenants.policy import Problem
from tenants.roles import GLOBAL_ADMINISTRATOR, ROLES

from .config_checks import BAD_USER_ID
from .config_shapes import USER
from .identifiers import canonical, find_domain
from .models import ContactPoint, GroupMember, Session, User
from .telling import tell

PROFILE = ("display_name", "given_name", "surname", "language", "manager")
"""Columns of a person that an administrator edits freely."""
BATCH = 500
NOT_YOURSELF = "You can't do this to yourself; another administrator can."
LAST_ONE = "This is the last global administrator who can sign in. Name another one first."
NOT_OUR_DOMAIN = "The part after the @ is none of the organisation's domains."
TAKEN = "There is a person with this user ID already."
NO_SUBSCRIPTION = "The organisation has no subscription, so there is no licence to assign."


def party_of(user: User) -> Party:
    """A person as the trail names them."""
    return Party("user", user.pk, user.user_id)


def profile_problems(values: Mapping[str, Any]) -> list[Problem]:
    """What keeps columns of PROFILE from being saved."""
    found = []
    for name in PROFILE[:-1]:
        for _, fix in faults(USER.keys[name].shape, values.get(name, "")):
            found.append(Problem(name, "shape", fix))
    language = values.get("language", "")
    if language and not is_language(language):
        found.append(Problem("language", "language", language_fix()))
    return found


def user_id_problem(user_id: str) -> Problem | None:
    """Why nobody can be added under this user ID."""
    domain = find_domain(canonical(user_id))
    if domain is None:
        return Problem("user_id", "shape", BAD_USER_ID)
    if not Domain.objects.filter(name=domain).exists():
        return Problem("user_id", "domain", NOT_OUR_DOMAIN)
    if User.objects.filter(user_id=canonical(user_id)).exists():
        return Problem("user_id", "taken", TAKEN)
    return None


def add_person(user_id: str, values: Mapping[str, Any], *, by: Party, now: datetime) -> User:
    """A new member without a password; `values` are columns of PROFILE."""
    found = profile_problems(values)
    problem = user_id_problem(user_id)
    if problem is not None:
        found.insert(0, problem)
    if found:
        raise Invalid(found)
    user = User(user_id=user_id, **{name: values[name] for name in PROFILE if name in values})
    user.set_unusable_password()
    user.save(force_insert=True)
    filled = [name for name in PROFILE if values.get(name)]
    data = {"fields": filled, "kind": user.kind}
    audit.record("user.created", actor=by, target=party_of(user), data=data, now=now)
    return user


def change_profile(
    user: User, values: Mapping[str, Any], *, by: Party, now: datetime
) -> tuple[str, ...]:
    """Stores the columns of PROFILE that differ; returns their names."""
    found = profile_problems(values)
    manager = values.get("manager")
    if manager is not None and manager.pk == user.pk:
        found.append(Problem("manager", "self", "Nobody is their own manager."))
    if found:
        raise Invalid(found)
    row = _locked(user)
    changed = [name for name in PROFILE if name in values and getattr(row, name) != values[name]]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=changed)
        data = {"fields": changed}
        audit.record("user.changed", actor=by, target=party_of(row), data=data, now=now)
    return tuple(changed)


def disable_user(user: User, reason: str, *, by: Party, now: datetime) -> None:
    """Keeps a person out and ends their sessions."""
    if by.id == user.pk:
        raise refusal("", "self", NOT_YOURSELF)
    holders = _role_holders()
    row = _locked(user)
    _keep_a_global_administrator(row, holders)
    row.is_active = False
    data = {"sessions_ended": _end_sessions(row, "is_active")}
    _record("user.disabled", row, by, now, reason, data)


def enable_user(user: User, reason: str, *, by: Party, now: datetime) -> None:
    row = _locked(user)
    row.is_active = True
    row.save(update_fields=["is_active"])
    _record("user.enabled", row, by, now, reason)


def thaw_user(user: User, reason: str, *, by: Party, now: datetime) -> None:
    """Lets a person in again whose account was stopped by "this was not me"."""
    if by.id == user.pk:
        raise refusal("", "self", NOT_YOURSELF)
    row = _locked(user)
    row.frozen_at = None
    row.save(update_fields=["frozen_at"])
    _record("account.thawed", row, by, now, reason)


def end_sessions(user: User, reason: str, *, by: Party, now: datetime) -> int:
    """Signs a person out everywhere; returns how many sessions that ended."""
    row = _locked(user)
    ended = _end_sessions(row)
    _record("user.sessions_ended", row, by, now, reason, {"sessions_ended": ended})
    tell("sessions_ended", row, ContactPoint.objects.filter(user=row), {}, now=now)
    return ended


def require_change(user: User, reason: str, *, by: Party, now: datetime) -> None:
    """Lets a person do nothing more until they have chosen another password."""
    row = _locked(user)
    row.must_change_password = True
    row.save(update_fields=["must_change_password"])
    _record("user.change_required", row, by, now, reason)


def change_roles(user: User, roles: Iterable[str], *, by: Party, now: datetime) -> bool:
    """Gives a person exactly these roles; false where nothing changes."""
    if by.id == user.pk:
        raise refusal("roles", "self", NOT_YOURSELF)
    wanted = sorted(set(roles))
    if not ROLES.issuperset(wanted):
        raise refusal("roles", "unknown_value", "There is no such role.")
    holders = _role_holders()
    row = _locked(user)
    before = set(row.roles)
    if before == set(wanted):
        return False
    if GLOBAL_ADMINISTRATOR not in wanted:
        _keep_a_global_administrator(row, holders, "roles")
    row.roles = wanted
    row.save(update_fields=["roles"])
    data = {"added": sorted(set(wanted) - before), "removed": sorted(before - set(wanted))}
    audit.record("user.roles_changed", actor=by, target=party_of(row), data=data, now=now)
    return True


def assign_licence(people: Iterable[User], *, by: Party, now: datetime) -> int:
    """Assigns a licence to those who have none; returns to how many."""
    subscription = Subscription.objects.first()
    if subscription is None:
        raise refusal("", "no_subscription", NO_SUBSCRIPTION)
    return _set_licence(people, subscription, by, now)


def remove_licence(people: Iterable[User], *, by: Party, now: datetime) -> int:
    """Takes the licence from those who have one; returns from how many."""
    return _set_licence(people, None, by, now)


def join_group(group: Group, people: Iterable[User], *, by: Party, now: datetime) -> int:
    """Makes people members who are none; returns how many."""
    wanted = {user.pk: user for user in people}
    inside = GroupMember.objects.filter(group=group, user_id__in=wanted)
    present = set(inside.values_list("user_id", flat=True))
    joining = [user for pk, user in wanted.items() if pk not in present]
    GroupMember.objects.bulk_create(
        [GroupMember(group=group, user=user) for user in joining], batch_size=BATCH
    )
    _record_each("group.member_added", joining, by, now, {"group": group.name})
    return len(joining)


def leave_group(group: Group, people: Iterable[User], *, by: Party, now: datetime) -> int:
    """Ends the memberships of these people; returns how many there were."""
    wanted = [user.pk for user in people]
    rows = GroupMember.objects.filter(group=group, user_id__in=wanted).select_related("user")
    leaving = [row.user for row in rows]
    rows.delete()
    _record_each("group.member_removed", leaving, by, now, {"group": group.name})
    return len(leaving)


def remove_guest(user: User, reason: str, *, by: Party, now: datetime) -> None:
    """Removes a guest with everything on file; the trail keeps what happened."""
    if user.kind != User.Kind.GUEST:
        raise refusal("", "member", "Only guests are removed here; a member is disabled.")
    holders = _role_holders()
    row = _locked(user)
    _keep_a_global_administrator(row, holders)
    _record("guest.removed", row, by, now, reason, {"origin": row.origin})
    row.delete()


def _locked(user: User) -> User:
    found: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return found


def _role_holders() -> list[User]:
    """Everybody with a role, locked in one order: two administrators who each take the role from
    the other must not both succeed."""
    rows = User.objects.select_for_update(no_key=True).exclude(roles=[])
    return list(rows.order_by("pk"))


def _keep_a_global_administrator(user: User, holders: Sequence[User], field: str = "") -> None:
    able = {row.pk for row in holders if GLOBAL_ADMINISTRATOR in row.roles and row.usable}
    if able == {user.pk}:
        raise refusal(field, "last_administrator", LAST_ONE)


def _end_sessions(user: User, *columns: str) -> int:
    user.session_epoch += 1
    user.save(update_fields=[*columns, "session_epoch"])
    rows: Any = Session.objects.filter(user=user)
    ended: int = rows.delete()[0]
    return ended


def _set_licence(
    people: Iterable[User], subscription: Subscription | None, by: Party, now: datetime
) -> int:
    ids = sorted(user.pk for user in people)
    changed: list[User] = []
    for start in range(0, len(ids), BATCH):
        rows = User.objects.select_for_update(no_key=True).filter(
            pk__in=ids[start : start + BATCH], licence__isnull=subscription is not None
        )
        changed += rows.order_by("pk")
    for start in range(0, len(changed), BATCH):
        some = [user.pk for user in changed[start : start + BATCH]]
        User.objects.filter(pk__in=some).update(licence=subscription)
    event_type = "user.licence_removed" if subscription is None else "user.licence_assigned"
    _record_each(event_type, changed, by, now)
    return len(changed)


def _record(
    event_type: str,
    user: User,
    by: Party,
    now: datetime,
    reason: str,
    data: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        event_type, actor=by, target=party_of(user), reason=reason, data=data or {}, now=now
    )


def _record_each(
    event_type: str,
    people: Sequence[User],
    by: Party,
    now: datetime,
    data: Mapping[str, object] | None = None,
) -> None:
    audit.record_many(
        [
            Event(event_type=event_type, actor=by, target=party_of(user), data=data, now=now)
            for user in people
        ]
    )
