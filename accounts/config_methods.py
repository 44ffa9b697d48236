"""The section verification of policy as code: who confirms for people, and who checks YubiKeys."""

from typing import Any

from tenants.config.document import SECRET, Document, Plan, shown
from tenants.config.sections import Section, register
from tenants.config.shapes import Key, Table, Text

from .config_checks import NOBODY
from .config_shapes import entries
from .identifiers import canonical
from .method_settings import APPROVER, CLIENT, KEY, URL, find_settings, keeps_key, problems, store
from .models import MethodSettings, User

NAME = "verification"
VERIFICATION = Table(
    {
        APPROVER: Key(Text(113), "who confirms where there is no manager to ask", default=""),
        URL: Key(Text(200), "the validation server for YubiKeys", default=""),
        CLIENT: Key(Text(20), "the client ID at that server", default=""),
        KEY: Key(Text(100, secret=True), "the client's key in base 64; kept when left out"),
    }
)


class VerificationWork:
    """Where the section stands it is the whole truth, but for the key, which is kept."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.given: dict[str, Any] = document.data.get(NAME, {})
        self.present: MethodSettings | None = None

    def validate(self) -> None:
        if not self.document.stands(NAME):
            return
        self.present = find_settings() if not self.document.is_new else None
        kept = keeps_key(self.present, {URL: "", CLIENT: "", **self.given})
        for problem in problems(self.given, keeps_key=kept):
            self.document.report.add((NAME, problem.field), problem.fix)
        approver = canonical(self.given.get(APPROVER, ""))
        in_file = {entry.user_id for entry in entries(self.document)}
        known = approver in in_file or User.objects.filter(user_id=approver).exists()
        if approver and not known:
            self.document.report.add((NAME, APPROVER), NOBODY)

    def plan(self, plan: Plan) -> None:
        if not self.document.stands(NAME):
            return
        before, after = _written(self.present), {**_written(None), **self.given}
        after[APPROVER] = canonical(after[APPROVER])
        for name in (APPROVER, URL, CLIENT):
            if before[name] != after[name]:
                plan.update(NAME, "", name, shown(before[name], after[name]))
        if KEY in self.given and not self._has_key(self.given[KEY]):
            plan.update(NAME, "", KEY, SECRET)
        elif before == {name: after[name] for name in before}:
            return
        plan.on_write(lambda: self._write(after))

    def _has_key(self, key: str) -> bool:
        row = self.present
        return row is not None and row.sealed_key is not None and row.read_key().reveal() == key

    @staticmethod
    def _write(values: dict[str, Any]) -> None:
        # Written after the people of the file.
        approver = User.objects.filter(user_id=values[APPROVER]).first()
        store({**values, APPROVER: approver})


def _written(row: MethodSettings | None) -> dict[str, str]:
    if row is None:
        return {APPROVER: "", URL: "", CLIENT: ""}
    approver = row.approver.user_id if row.approver is not None else ""
    return {APPROVER: approver, URL: row.validation_url, CLIENT: row.validation_client}


def export(out: dict[str, Any]) -> None:
    """Everything but the key."""
    found = {name: value for name, value in _written(find_settings()).items() if value}
    if found:
        out[NAME] = found


SECTION = Section(
    name=NAME,
    keys={NAME: Key(VERIFICATION, "what some methods need to know")},
    open=VerificationWork,
    export=export,
)
register(SECTION)
