"""The shape every table must keep: tenants are walled off by the database itself, and one tenant can live on one shard."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.ext.asyncio import create_async_engine

from xinzu.app.modules import load_modules
from xinzu.platform.db import APP_ROLE, metadata, tenant_tables
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.roles import DatabaseUrls

GLOBAL_TABLES = {"platform_tenant", "platform_business_clock", "alembic_version"}


async def test_every_tenant_table_has_forced_row_security(runtime: Runtime) -> None:
    load_modules()
    async with runtime.database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,"
                " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies"
                " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE 'pgqueuer%'"
            )
        )
        tables = {row.relname: (row.forced, row.policies) for row in rows}
    assert {table.name for table in tenant_tables()} == tables.keys() - GLOBAL_TABLES
    assert {name for name in tables.keys() - GLOBAL_TABLES if tables[name] != (True, 1)} == set()


async def test_the_app_role_cannot_bypass_row_security_and_owns_nothing(runtime: Runtime) -> None:
    async with runtime.database.engine.connect() as connection:
        role = (
            await connection.execute(
                text(
                    "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
                )
            )
        ).one()
        owned = (
            await connection.execute(
                text("SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)")
            )
        ).scalar()
    assert tuple(role) == (APP_ROLE, False, False, False, False)
    assert owned == 0


def test_tenant_id_leads_every_key() -> None:
    load_modules()
    wrong = []
    for table in tenant_tables():
        for constraint in table.constraints:
            if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
                if next(iter(constraint.columns)).name != "tenant_id":
                    wrong.append(f"{table.name}: {constraint.name}")
            elif isinstance(constraint, ForeignKeyConstraint):
                columns = [column.name for column in constraint.columns]
                if columns[0] != "tenant_id" or constraint.elements[0].target_fullname.split(".")[-1] != "tenant_id":
                    wrong.append(f"{table.name}: {columns}")
        for index in table.indexes:
            if index.unique and index.expressions[0].name != "tenant_id":  # type: ignore[union-attr]
                wrong.append(f"{table.name}: {index.name}")  # noqa: PERF401
    assert wrong == []


def test_tables_are_named_after_their_module() -> None:
    load_modules()
    modules = {"platform", "parties", "ledger", "evidence", "billing", "payments", "assets", "devices", "collections"}
    modules |= {"credit", "screening", "decisions", "agreements", "catalogue", "applications"}
    assert {table.name for table in metadata.sorted_tables if table.name.split("_")[0] not in modules} == set()


def test_foreign_keys_across_modules_point_down() -> None:
    load_modules()
    office = {
        "platform": 0,
        "parties": 1,
        "ledger": 1,
        "evidence": 1,
        "credit": 3,
        "decisions": 3,
        "agreements": 3,
        "catalogue": 4,
        "applications": 5,
    }
    wrong = []
    for table in metadata.sorted_tables:
        own = table.name.split("_")[0]
        for key in table.foreign_keys:
            target = key.column.table.name.split("_")[0]
            if target != own and office.get(target, 2) >= office.get(own, 2):
                wrong.append(f"{table.name} -> {key.column.table.name}")
    assert wrong == []


async def test_there_are_no_triggers_on_our_tables(runtime: Runtime) -> None:
    async with runtime.database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE NOT t.tgisinternal AND c.relname NOT LIKE 'pgqueuer%'"
            )
        )
        assert rows.all() == []


async def test_every_declared_check_is_in_the_database(runtime: Runtime) -> None:
    """Alembic's comparison does not look at checks and exclusions, and these are what holds money and occupancy."""
    load_modules()
    declared = {
        (table.name, str(constraint.name))
        for table in metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ExcludeConstraint)
    }
    inline = [
        f"{column.table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns if column.constraints
    ]
    async with runtime.database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = 'public' AND k.contype IN ('c', 'x') AND c.relname NOT LIKE 'pgqueuer%'"
            )
        )
        present = {(row.relname, row.conname) for row in rows}
    assert inline == [], "declare checks on the table: a migration does not see those inside a column"
    assert declared == present


async def test_the_migrations_make_exactly_the_declared_schema(database_urls: DatabaseUrls) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlalchemy import Connection

    load_modules()

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or not str(name).startswith("pgqueuer"),
            },
        )
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(database_urls.owner.get_secret_value())
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
