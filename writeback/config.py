"""Policy as code, the part about directories: connectors, and whose account is where."""

from typing import Any

# People are written before what refers to them, so their section comes first.
from accounts import config as accounts_config  # noqa: F401 - registers it
from accounts.config_shapes import USERS, add_user_key
from tenants.config.document import Document, Plan
from tenants.config.sections import Section, register
from tenants.config.shapes import Flag, Key, Listing, Table, Text

from .config_connectors import ConnectorPlan
from .config_links import DIRECTORY, LinkPlan
from .models import Connector, DirectoryLink

NAME = "connectors"
CONNECTOR = Table(
    {
        "name": Key(Text(100, shortest=1), "what people call the directory", required=True),
        "kind": Key(
            Text(choices=tuple(Connector.Kind.values)),
            "what kind of directory it is",
            default="active_directory",
        ),
        "enabled": Key(Flag(), "whether passwords are written to it", default=True),
        "canary": Key(Text(200), "permanent id of the account for drills"),
    }
)


class DirectoryWork:
    """Connectors that are listed are made or changed, others stay: agents hang on them."""

    def __init__(self, document: Document) -> None:
        self.connectors = ConnectorPlan(document, CONNECTOR)
        self.links = LinkPlan(document, self.connectors)

    def validate(self) -> None:
        self.connectors.validate()
        self.links.validate()

    def plan(self, plan: Plan) -> None:
        self.connectors.plan(plan)
        self.links.plan(plan)


def export(out: dict[str, Any]) -> None:
    """Every directory, and at each person where their accounts are."""
    rows = [
        {
            "name": row.name,
            "kind": row.kind,
            "enabled": row.enabled,
            **({"canary": row.canary} if row.canary else {}),
        }
        for row in Connector.objects.order_by("name")
    ]
    if rows:
        out[NAME] = rows
    found: dict[str, list[dict[str, str]]] = {}
    links = DirectoryLink.objects.values_list("user__user_id", "connector__name", "anchor")
    for user_id, connector, anchor in sorted(links):
        found.setdefault(user_id, []).append({"connector": connector, "anchor": anchor})
    for row in out.get(USERS, ()):
        if row["id"] in found:
            row["directory"] = found[row["id"]]


add_user_key(
    "directory", Key(Listing(DIRECTORY), "accounts in the organisation's directories", default=())
)
register(
    Section(
        name=NAME,
        keys={NAME: Key(Listing(CONNECTOR), "directories, written as [[connectors]]")},
        open=DirectoryWork,
        export=export,
    )
)
