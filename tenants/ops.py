"""Migration operations for what plain models can't say: look-up functions, audit protection."""

from collections.abc import Sequence
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from .ids import ordered_id
from .rls import OPS_ROLE


class PostgresOnly(Operation):
    """Runs statements on PostgreSQL, nothing elsewhere."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes the database only."""

    def statements(self) -> Sequence[str]:
        raise NotImplementedError

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for statement in self.statements():
                schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Tables and what hangs on them go with their own migration."""


class CreateOpsRole(PostgresOnly):
    """The role that owns the look-up functions: no sign-in, no bypass, a few columns to read."""

    def statements(self) -> Sequence[str]:
        return [
            f"""DO $$ BEGIN
              IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OPS_ROLE}') THEN
                CREATE ROLE {OPS_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS;
              END IF;
              IF NOT pg_has_role(current_user, '{OPS_ROLE}', 'MEMBER') THEN
                EXECUTE format('GRANT {OPS_ROLE} TO %I', current_user);
              END IF;
            END $$"""
        ]


class LookupFunction(PostgresOnly):
    """A function that answers with tenants' ids, run as the ops role over named columns.

    `reads` maps each table to the columns the function needs; the role gets a policy for reading
    and the right to just these columns.
    """

    language = "sql"

    def __init__(
        self, name: str, arguments: str, returns: str, body: str, reads: dict[str, Sequence[str]]
    ) -> None:
        self.name, self.arguments, self.returns = name, arguments, returns
        self.body, self.reads = body, reads

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        values = [self.name, self.arguments, self.returns, self.body, self.reads]
        return (self.__class__.__qualname__, values, {})

    def statements(self) -> Sequence[str]:
        signature = f"{self.name}({self.arguments})"
        types = ", ".join(part.split()[-1] for part in self.arguments.split(",") if part.strip())
        grants = []
        for table, columns in self.reads.items():
            grants += [
                f"GRANT SELECT ({', '.join(columns)}) ON {table} TO {OPS_ROLE}",
                f"DROP POLICY IF EXISTS {OPS_ROLE}_reads ON {table}",
                f"CREATE POLICY {OPS_ROLE}_reads ON {table} FOR SELECT TO {OPS_ROLE} USING (true)",
            ]
        return [
            *grants,
            (
                f"CREATE OR REPLACE FUNCTION {signature} RETURNS {self.returns}"
                f" LANGUAGE {self.language} STABLE SECURITY DEFINER"
                f" SET search_path = public, pg_temp AS $$ {self.body} $$"
            ),
            f"GRANT CREATE ON SCHEMA public TO {OPS_ROLE}",
            f"ALTER FUNCTION {self.name}({types}) OWNER TO {OPS_ROLE}",
            f"REVOKE CREATE ON SCHEMA public FROM {OPS_ROLE}",
        ]


class PlannedLookup(LookupFunction):
    """A look-up that is asked again and again: planned once a connection and not at each call.

    May take the place of a `LookupFunction` with the same arguments, whose rights stay. `body` is
    one query of ids, or of one id.
    """

    language = "plpgsql"

    def __init__(
        self, name: str, arguments: str, returns: str, body: str, reads: dict[str, Sequence[str]]
    ) -> None:
        super().__init__(name, arguments, returns, body, reads)
        answer = f"QUERY {body}" if returns.startswith("SETOF") else f"({body})"
        self.query, self.body = body, f"BEGIN RETURN {answer}; END"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        values = [self.name, self.arguments, self.returns, self.query, self.reads]
        return (self.__class__.__qualname__, values, {})


class ProtectAudit(Operation):
    """Events and seals are only ever added; a trigger queues each event for its seal."""

    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes the database only."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        vendor = schema_editor.connection.vendor
        for statement in _POSTGRES_AUDIT if vendor == "postgresql" else _SQLITE_AUDIT:
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """The triggers go with their tables."""


class TellOfChanges(PostgresOnly):
    """Gives the tenant's row a new revision when it, or a row of these tables, changes."""

    def __init__(self, *tables: str) -> None:
        self.tables = tables

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, list(self.tables), {})

    def statements(self) -> Sequence[str]:
        return [
            """CREATE FUNCTION sspr_tenant_revised() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN NEW.revision := gen_random_uuid(); RETURN NEW; END $$""",
            """CREATE TRIGGER tenant_revised BEFORE UPDATE ON tenants_tenant
               FOR EACH ROW EXECUTE FUNCTION sspr_tenant_revised()""",
            """CREATE FUNCTION sspr_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
               BEGIN
                 UPDATE tenants_tenant SET revision = gen_random_uuid()
                 WHERE id = COALESCE(NEW.tenant_id, OLD.tenant_id);
                 RETURN NULL;
               END $$""",
            *(
                f"""CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE ON {table}
                    FOR EACH ROW EXECUTE FUNCTION sspr_rules_changed()"""
                for table in self.tables
            ),
        ]


class RefuseOvertaken(PostgresOnly):
    """What a statement calls that found its row written to since it was read (`versions`)."""

    def statements(self) -> Sequence[str]:
        return [
            """CREATE FUNCTION sspr_overtaken() RETURNS text LANGUAGE plpgsql AS $$
               BEGIN
                 RAISE EXCEPTION 'the row was written to since it was read'
                   USING ERRCODE = 'serialization_failure';
               END $$"""
        ]


class RingForRows(PostgresOnly):
    """Rings a bell (`tenants.bell`) when the transaction that adds rows to the table commits."""

    def __init__(self, table: str, channel: str, name: str) -> None:
        self.table, self.channel, self.name = table, channel, name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.table, self.channel, self.name], {})

    def statements(self) -> Sequence[str]:
        return [
            f"""CREATE FUNCTION sspr_ring_{self.name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_notify('{self.channel}', '{self.name}'); RETURN NULL; END $$""",
            f"""CREATE TRIGGER ring_{self.name} AFTER INSERT ON {self.table}
                FOR EACH STATEMENT EXECUTE FUNCTION sspr_ring_{self.name}()""",
        ]


class RingForTenants(PostgresOnly):
    """The bell of `RingForRows` says whose rows they are, where the database knows a tenant."""

    def __init__(self, channel: str, name: str) -> None:
        self.channel, self.name = channel, name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, [self.channel, self.name], {})

    def statements(self) -> Sequence[str]:
        told = f"rtrim('{self.name} ' || coalesce(current_setting('app.tenant', true), ''))"
        return [
            f"""CREATE OR REPLACE FUNCTION sspr_ring_{self.name}() RETURNS trigger
                LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_notify('{self.channel}', {told}); RETURN NULL; END $$"""
        ]


def ordered_keys(*model_names: str) -> migrations.SeparateDatabaseAndState:
    """New rows of these models get keys in the order of time (`tenants.ids`).

    In the database nothing changes; an embedded one would build the tables anew, without the
    triggers that belong to them.
    """
    return migrations.SeparateDatabaseAndState(
        state_operations=[
            migrations.AlterField(
                model_name=name,
                name="id",
                field=models.UUIDField(
                    default=ordered_id, editable=False, primary_key=True, serialize=False
                ),
            )
            for name in model_names
        ]
    )


_POSTGRES_AUDIT = (
    """CREATE FUNCTION sspr_audit_queue() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         INSERT INTO tenants_auditpending (id, tenant_id, event_id, created_at)
         VALUES (gen_random_uuid(), NEW.tenant_id, NEW.id, NEW.created_at);
         RETURN NULL;
       END $$""",
    """CREATE TRIGGER audit_queue AFTER INSERT ON tenants_auditevent
       FOR EACH ROW EXECUTE FUNCTION sspr_audit_queue()""",
    """CREATE FUNCTION sspr_audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'the audit trail is never changed'; END $$""",
    *(
        f"""CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION sspr_audit_keep()"""
        for table in ("tenants_auditevent", "tenants_auditseal")
    ),
)
_SQLITE_AUDIT = (
    """CREATE TRIGGER audit_queue AFTER INSERT ON tenants_auditevent BEGIN
         INSERT INTO tenants_auditpending (id, tenant_id, event_id, created_at)
         VALUES (lower(hex(randomblob(16))), NEW.tenant_id, NEW.id, NEW.created_at);
       END""",
    *(
        f"""CREATE TRIGGER {table}_{event} BEFORE {event.upper()} ON {table}
            BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END"""
        for table in ("tenants_auditevent", "tenants_auditseal")
        for event in ("update", "delete")
    ),
)
