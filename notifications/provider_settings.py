"""Which provider carries a tenant's text messages or calls; its credentials are sealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from tenants.keys import binding, tenant_keys

from .models import ProviderSetting
from .providers.registry import PROVIDERS


class ProviderRefused(ValueError):
    """A configuration that can't work. `problems` are pairs of key and fix; no value is quoted."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{key}: {fix}" for key, fix in problems))
        self.problems = problems


@dataclass(frozen=True)
class ProviderChoice:
    """The tenant's provider for one channel, with its credentials open."""

    kind: str
    config: Mapping[str, Any] = field(repr=False)


def provider_problems(channel: str, kind: str, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything wrong with a setting, as pairs of key and fix; empty when it can be saved.

    Looks at the values alone and asks no network; where the address leads is checked at each use.
    """
    if channel not in ProviderSetting.Channel.values:
        return [("channel", f"Use one of {', '.join(ProviderSetting.Channel.values)}.")]
    if kind not in PROVIDERS:
        return [("kind", f"Use one of {', '.join(PROVIDERS)}.")]
    return PROVIDERS[kind].problems(channel, config)


def save_provider(channel: str, kind: str, config: Mapping[str, Any]) -> ProviderSetting:
    """Sets the provider of a channel for the tenant in force. Raises ProviderRefused."""
    found = provider_problems(channel, kind, config)
    if found:
        raise ProviderRefused(found)
    with transaction.atomic():
        row = ProviderSetting.objects.select_for_update().filter(channel=channel).first()
        row = row or ProviderSetting(channel=channel)
        row.kind = kind
        row.sealed_config = tenant_keys().seal(json.dumps(dict(config)), _bound_to(row))
        row.save()
    return row


def find_provider(channel: str) -> ProviderChoice | None:
    """The tenant's provider for `sms` or `voice`. Raises SealBroken where its key is gone."""
    row = ProviderSetting.objects.filter(channel=channel).first()
    if row is None:
        return None
    opened = tenant_keys().open_text(row.sealed_config, _bound_to(row))
    return ProviderChoice(row.kind, json.loads(opened.reveal()))


def remove_provider(channel: str) -> None:
    """The tenant has no provider for this channel any more."""
    ProviderSetting.objects.filter(channel=channel).delete()


def _bound_to(row: ProviderSetting) -> bytes:
    # The kind as well: credentials of one provider are never handed to another.
    return binding(tenant_keys().tenant, "provider", row.id, row.channel, row.kind)
