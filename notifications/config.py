"""The section providers of policy as code: who carries a tenant's text messages and calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tenants.config.document import SECRET, Document, Plan, shown
from tenants.config.report import Path, Report
from tenants.config.sections import Section, register
from tenants.config.shapes import INVALID, Key, Listing, Table, Text

from .models import ProviderSetting
from .provider_settings import (
    ProviderChoice,
    find_provider,
    provider_problems,
    remove_provider,
    save_provider,
)
from .providers.registry import PROVIDERS

NAME = "providers"
SECRETS = frozenset({"auth_token", "auth_value"})
OWN_KEYS = ("channel", "kind")


@dataclass(frozen=True)
class Fields:
    """Names of an HTTP body and their texts with places such as {to}."""

    longest: int = 500

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        if isinstance(value, dict) and all(
            isinstance(text, str) and len(text) <= self.longest for text in value.values()
        ):
            return value
        report.add(path, 'Write the fields, such as { to = "{to}", message = "{text}" }.')
        return INVALID

    def json_schema(self) -> dict[str, Any]:
        texts = {"type": "string", "maxLength": self.longest}
        return {"type": "object", "additionalProperties": texts}


PROVIDER = Table(
    {
        "channel": Key(
            Text(choices=tuple(ProviderSetting.Channel.values)), "sms or voice", required=True
        ),
        "kind": Key(Text(choices=tuple(PROVIDERS)), "which provider", required=True),
        "account_sid": Key(Text(40), "twilio: the Account SID"),
        "auth_token": Key(Text(200, secret=True), "twilio: the auth token"),
        "from": Key(Text(20), "twilio: the number or name that sends"),
        "messaging_service_sid": Key(Text(40), "twilio: the messaging service instead of from"),
        "base_url": Key(Text(200), "twilio: another address of its interface"),
        "url": Key(Text(500), "generic_http: where messages are posted to"),
        "format": Key(Text(choices=("json", "form")), "generic_http: json or form"),
        "body": Key(Fields(), "generic_http: the fields, with {to}, {text} and others"),
        "auth_header": Key(Text(60), "generic_http: the header that carries the secret"),
        "auth_value": Key(Text(500, secret=True), "generic_http: what that header carries"),
        "folder": Key(Text(500), "file: the folder to write to, in development only"),
    }
)


class ProviderWork:
    """Where the section stands it is the whole truth; a secret that is left out is kept."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.rows: list[dict[str, Any]] = document.data.get(NAME, [])
        self.present: dict[str, ProviderChoice] = {}

    def validate(self) -> None:
        for channel in ProviderSetting.Channel.values:
            found = find_provider(channel) if not self.document.is_new else None
            if found is not None:
                self.present[channel] = found
        named: set[str] = set()
        for index, row in enumerate(self.rows):
            if not row or not all(key in row for key in OWN_KEYS):
                continue
            if row["channel"] in named:
                self.document.report.add((NAME, index, "channel"), "Name each channel once.")
            named.add(row["channel"])
            for key, fix in provider_problems(row["channel"], row["kind"], self._config(row)):
                self.document.report.add((NAME, index, key), fix)

    def _config(self, row: Mapping[str, Any]) -> dict[str, Any]:
        config = {key: value for key, value in row.items() if key not in OWN_KEYS}
        before = self.present.get(row["channel"])
        if before is not None and before.kind == row["kind"]:
            kept = {key: before.config[key] for key in SECRETS & before.config.keys()}
            config = {**kept, **config}
        return config

    def plan(self, plan: Plan) -> None:
        if not self.document.stands(NAME):
            return
        for row in self.rows:
            self._plan_row(plan, row["channel"], row["kind"], self._config(row))
        for channel in self.present.keys() - {row["channel"] for row in self.rows}:
            plan.remove("provider", channel)
            plan.on_write(partial(remove_provider, channel))

    def _plan_row(self, plan: Plan, channel: str, kind: str, config: dict[str, Any]) -> None:
        before = self.present.get(channel)
        if before is None:
            plan.create("provider", channel)
        elif before.kind != kind:
            plan.update("provider", channel, "kind", shown(before.kind, kind))
        else:
            changed = {
                key
                for key in before.config.keys() | config.keys()
                if before.config.get(key) != config.get(key)
            }
            for key in sorted(changed):
                told = SECRET if key in SECRETS else shown(before.config.get(key), config.get(key))
                plan.update("provider", channel, key, told)
            if not changed:
                return
        plan.on_write(lambda: save_provider(channel, kind, config))


def export(out: dict[str, Any]) -> None:
    """Every provider without its secrets."""
    rows = []
    for channel in ProviderSetting.Channel.values:
        found = find_provider(channel)
        if found is not None:
            plain = {key: found.config[key] for key in PROVIDER.keys if key in found.config}
            shown_keys = {key: value for key, value in plain.items() if key not in SECRETS}
            rows.append({"channel": channel, "kind": found.kind, **shown_keys})
    if rows:
        out[NAME] = rows


register(
    Section(
        name=NAME,
        keys={NAME: Key(Listing(PROVIDER), "who carries messages, written as [[providers]]")},
        open=ProviderWork,
        export=export,
    )
)
