"""Taking a change of what is registered back: the rows as they were, sealed, behind a link.

Every row of a person that can prove who they are is taken up column by column. A restored row gets
a higher version, so that nothing proved with it before the change counts again.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from tenants import audit
from tenants.context import tenant_context
from tenants.keys import SealBroken

from ..models import (
    AuthenticatorDevice,
    ContactPoint,
    Credential,
    MethodUndo,
    QuestionAnswer,
    Session,
    User,
)
from ..services import party_of

LIFETIME = timedelta(hours=72)
MAX_TOKEN = 100
_TABLES: Mapping[str, Any] = {
    "contact": ContactPoint,
    "device": AuthenticatorDevice,
    "answer": QuestionAnswer,
    "credential": Credential,
}
_WHOSE = frozenset({"tenant", "user"})
Rows = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Undo:
    """What has to happen to take a change back: rows that go, rows that come back as they were."""

    added: tuple[tuple[str, str], ...] = ()
    before: tuple[tuple[str, Mapping[str, Any]], ...] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.added or self.before)


def snapshot(user: User) -> Rows:
    """Every row of this person, by table and id, as it can be written down."""
    return {
        (table, str(row.pk)): _columns(row)
        for table, model in _TABLES.items()
        for row in model.objects.filter(user=user)
    }


def undo_of(before: Rows, after: Rows) -> Undo:
    """What takes the rows `after` a change back to those `before`."""
    return Undo(
        added=tuple(key for key in after if key not in before),
        before=tuple(
            (key[0], columns) for key, columns in before.items() if after.get(key) != columns
        ),
    )


def undo_of_new_credentials(user: User, method: str, now: datetime) -> Undo:
    """What takes credentials back that were registered just now."""
    rows = Credential.objects.filter(user=user, method=method, confirmed_at=now)
    return Undo(added=tuple(("credential", str(row.pk)) for row in rows))


def keep_undo(user: User, method: str, name: str, undo: Undo, now: datetime) -> str:
    """Keeps what takes the change back; the link that does. Only the hash of its token stays."""
    MethodUndo.objects.filter(expires_at__lte=now).delete()
    token = secrets.token_urlsafe(32)
    row = MethodUndo(
        user=user,
        method=method,
        name=name[:100],
        token_hash=_token_hash(token),
        expires_at=now + LIFETIME,
        created_at=now,
    )
    row.write(json.dumps({"added": undo.added, "before": undo.before}))
    row.save(force_insert=True)
    path = reverse("security-info:undo", args=[f"{user.tenant_id.hex}.{token}"])
    return f"{settings.SSPR_BASE_URL}{path}"


def is_undoable(token: str, now: datetime) -> bool:
    """Whether the link still works. Changes nothing."""
    found = _parse(token)
    if found is None:
        return False
    with tenant_context(found[0]):
        return bool(_rows(found[1], now).exists())


def undo_change(token: str, *, address: str, now: datetime) -> bool:
    """Puts the change back that this link belongs to, and signs the person out everywhere. False
    when the link is over."""
    found = _parse(token)
    if found is None:
        return False
    with tenant_context(found[0]):
        row = _rows(found[1], now).select_for_update().first()
        if row is None:
            return False
        user = User.objects.select_for_update(no_key=True).get(pk=row.user_id)
        row.used_at = now
        row.save(update_fields=["used_at"])
        before = list(ContactPoint.objects.filter(user=user))
        _put_back(user, row)
        user.session_epoch += 1
        user.save(update_fields=["session_epoch"])
        Session.objects.filter(user=user).delete()
        audit.record(
            "method.undone",
            actor=party_of(user),
            target=party_of(user),
            data={"method": row.method, "name": row.name},
            address=address,
            now=now,
        )
        from .changes import tell_change

        tell_change(user, [*before, *ContactPoint.objects.filter(user=user)], row.method, now)
        return True


def _parse(token: str) -> tuple[UUID, bytes] | None:
    head, dot, rest = token.partition(".")
    if not dot or len(token) > MAX_TOKEN:
        return None
    try:
        return UUID(hex=head), _token_hash(rest)
    except ValueError:
        return None


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(b"undo\x1f" + token.encode()).digest()


def _rows(token_hash: bytes, now: datetime) -> Any:
    return MethodUndo.objects.filter(token_hash=token_hash, used_at=None, expires_at__gt=now)


def _put_back(user: User, undo: MethodUndo) -> None:
    try:
        state = json.loads(undo.read().reveal())
    except SealBroken:
        return
    for table, pk in state["added"]:
        _TABLES[table].objects.filter(pk=pk, user=user).delete()
    for table, columns in state["before"]:
        _restore(user, _TABLES[table], columns)


def _restore(user: User, model: Any, columns: Mapping[str, Any]) -> None:
    values = {
        name: _value(model._meta.get_field(name), written) for name, written in columns.items()
    }
    row = model(user=user, **values)
    standing = model.objects.filter(pk=row.pk).first()
    in_the_way = _in_the_way(user, row)
    if in_the_way is None:
        return
    versions = [row, *in_the_way, *([standing] if standing is not None else [])]
    for other in in_the_way:
        other.delete()
    if hasattr(row, "version"):
        row.version = max(each.version for each in versions) + 1
    row.save(force_insert=standing is None, force_update=standing is not None)


def _in_the_way(user: User, row: Any) -> list[Any] | None:
    """Rows of this person that took the place of this one; nothing where it is somebody else's."""
    if isinstance(row, ContactPoint):
        same = ContactPoint.objects.filter(user=user, kind=row.kind)
    elif isinstance(row, QuestionAnswer):
        same = QuestionAnswer.objects.filter(user=user, question=row.question)
    elif isinstance(row, Credential) and row.lookup is not None:
        same = Credential.objects.filter(method=row.method, lookup=row.lookup)
        if same.exclude(user=user).exists():
            return None
    else:
        return []
    return list(same.exclude(pk=row.pk))


def _columns(row: Any) -> dict[str, Any]:
    return {
        each.name: _written(getattr(row, each.attname))
        for each in row._meta.concrete_fields
        if each.name not in _WHOSE
    }


def _written(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _value(column: Any, written: Any) -> Any:
    if isinstance(written, Mapping) and "bytes" in written:
        return base64.b64decode(written["bytes"])
    return column.to_python(written) if written is not None else None
