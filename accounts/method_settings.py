"""What some methods need to know of the tenant, as administrators and policy files set it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tenants import audit
from tenants.audit import Party
from tenants.invalid import Invalid
from tenants.policy import Problem

from .models import MethodSettings
from .validation import key_problem, url_problem

APPROVER, URL, CLIENT, KEY = "approver", "validation_url", "validation_client", "validation_key"


def find_settings() -> MethodSettings | None:
    row: MethodSettings | None = MethodSettings.objects.select_related("approver").first()
    return row


def problems(values: Mapping[str, Any], *, keeps_key: bool) -> list[Problem]:
    """What keeps `values` from being saved. keeps_key: a key is on file and stays."""
    url, client, key = (str(values.get(name) or "") for name in (URL, CLIENT, KEY))
    if not url:
        given = bool(client or key)
        return [Problem(URL, "missing", "Write the address of the server.")] if given else []
    found = []
    fix = url_problem(url)
    if fix is not None:
        found.append(Problem(URL, "shape", fix))
    if not (client.isascii() and client.isdigit()):
        found.append(Problem(CLIENT, "shape", "Write the number that the server gave you."))
    if key or not keeps_key:
        fix = key_problem(key)
        if fix is not None:
            found.append(Problem(KEY, "shape", fix))
    return found


def keeps_key(row: MethodSettings | None, values: Mapping[str, Any]) -> bool:
    """Whether the key on file can stay: it never goes to another server or client."""
    return (
        row is not None
        and row.sealed_key is not None
        and row.validation_url == values.get(URL)
        and row.validation_client == values.get(CLIENT)
    )


def change_settings(values: Mapping[str, Any], *, by: Party, now: datetime) -> tuple[str, ...]:
    """Stores approver (a person or nothing), validation_url, validation_client and, where it is
    not empty, validation_key; returns what changed. An empty address removes the server. Raises
    Invalid."""
    changed = store(values)
    if changed:
        fields = {"fields": list(changed)}
        audit.record("method_settings.changed", actor=by, data=fields, now=now)
    return changed


def store(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The same without a line in the trail, for a policy file, which has its own."""
    row = MethodSettings.objects.select_for_update().first()
    kept = keeps_key(row, values)
    found = problems(values, keeps_key=kept)
    if found:
        raise Invalid(found)
    row = row or MethodSettings()
    url, client, key = (str(values.get(name) or "") for name in (URL, CLIENT, KEY))
    approver = values.get(APPROVER)
    before = {APPROVER: row.approver_id, URL: row.validation_url, CLIENT: row.validation_client}
    row.approver = approver
    row.validation_url, row.validation_client = url, client if url else ""
    if key or not kept:
        row.write_key(key if url else "")
    after = {APPROVER: row.approver_id, URL: row.validation_url, CLIENT: row.validation_client}
    changed = [name for name in before if before[name] != after[name]]
    changed += [KEY] if key else []
    if changed:
        row.save()
    return tuple(changed)
