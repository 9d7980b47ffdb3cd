"""The schema's building blocks and the engine.

Rules the shape holds for every tenant table (they keep the schema ready for Citus, one tenant = one shard):
``tenant_id`` leads the primary key and every unique constraint and foreign key; row-level security is forced; no triggers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import asyncpg
import msgspec
from asyncpg.exceptions import (
    AdminShutdownError,
    CannotConnectNowError,
    CrashShutdownError,
    InterfaceError,
    InternalClientError,
    PostgresConnectionError,
    PostgresError,
)
from asyncpg.transaction import Transaction
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.schema import SchemaItem

# What a long-lived asyncpg connection raises when the server goes away under it; the last when other statements wait their turn.
CONNECTION_TROUBLE = (OSError, PostgresError, InterfaceError, InternalClientError)
# What the engine raises then: the driver's errors as they are while connecting, wrapped afterwards, and its own when the pool is empty.
DATABASE_TROUBLE = (DBAPIError, PoolTimeout, *CONNECTION_TROUBLE)
# A connection is gone, or the server is going or not yet there (the last three are not in PostgreSQL's connection class 08). A statement that
# comes between the server's last word and the end of the connection finds the driver in a state it has no name for: an internal error.
_LOSS = (
    OSError,
    PostgresConnectionError,
    InterfaceError,
    InternalClientError,
    AdminShutdownError,
    CrashShutdownError,
    CannotConnectNowError,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

STATEMENTS_PREPARED_MAX = 1_000
TENANT_SETTING = "app.tenant"
OWNER_ROLE = "xinzu_owner"
APP_ROLE = "xinzu_app"
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_DIALECT = asyncpg_dialect()  # type: ignore[no-untyped-call]


def tenant_table(name: str, *items: SchemaItem, key: tuple[str, ...] = ("id",)) -> Table:
    """A table whose rows belong to one tenant: ``tenant_id`` first, primary key (tenant_id, *key), row security forced.

    Declare uniqueness with ``tenant_unique`` and references with ``tenant_reference`` so that tenant_id leads them too.
    """
    # Checks stand on the table and not on the column, because migrations are written from the table's constraints.
    minima = [
        CheckConstraint(f"{item.name} >= {item.info['minimum']}", name=f"{item.name}_min")
        for item in items
        if isinstance(item, Column) and item.info.get("minimum") is not None
    ]
    return Table(
        name,
        metadata,
        Column("tenant_id", BigInteger, nullable=False),
        *items,
        *minima,
        PrimaryKeyConstraint("tenant_id", *key),
        info={"tenant": True},
    )


def global_table(name: str, *items: SchemaItem) -> Table:
    """A table that belongs to the installation. It may hold no personal data: every tenant's session can read it."""
    return Table(name, metadata, *items, info={"tenant": False})


def tenant_unique(*columns: str, name: str | None = None) -> UniqueConstraint:
    return UniqueConstraint("tenant_id", *columns, name=name)


def tenant_reference(column: str, table: str, target: str = "id") -> ForeignKeyConstraint:
    """A foreign key inside one tenant. Across modules only downward (import rule 7)."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.{target}"])


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def fen(name: str, *, nullable: bool = False, minimum: int | None = 0) -> Column[Any]:
    """An amount in fen. The unit stands in the name; the check stands in the database."""
    if not name.endswith("_fen"):
        raise ValueError(f"a column of money ends in _fen: {name}")
    return Column(name, BigInteger, nullable=nullable, info={"minimum": minimum})


def one_of(column: str, values: type[Any]) -> CheckConstraint:
    """A check constraint generated from a StrEnum, so that the database knows the same states as the code."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def row_security_ddl(table: str) -> list[str]:
    """Statements that force row-level security on a tenant table and let the app role use it.

    ``nullif(current_setting(…, true), '')`` yields null, hence no rows, when no tenant is set; the sub-select is evaluated once.
    """
    tenant = f"(SELECT nullif(current_setting('{TENANT_SETTING}', true), '')::bigint)"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING (tenant_id = {tenant}) WITH CHECK (tenant_id = {tenant})",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}",
    ]


class Row(asyncpg.Record):
    """A row of an answer: its columns by name as attributes, in order when unpacked, by name or place in brackets."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class TenantConnection(asyncpg.Connection):
    """A connection whose next transaction is bound to a tenant by the message that begins it: one round trip instead of two."""

    __slots__ = ("_binding",)

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self._binding: str | None = None

    def bind(self, binding: str | None) -> None:
        """Say what the next BEGIN says besides; None takes it back."""
        self._binding = binding

    async def execute(self, query: str, *arguments: Any, timeout: float | None = None) -> str:  # noqa: ANN401
        if self._binding is not None and query.startswith("BEGIN"):
            query, self._binding = f"{query} {self._binding}", None
        status: str = await super().execute(query, *arguments, timeout=timeout)
        return status


async def begin(pooled: AsyncConnection, tenant_id: int) -> tuple[TenantConnection, Transaction]:
    """Begin a transaction of a tenant on a connection of the pool, past SQLAlchemy (ADR 0011). Raises one of DATABASE_TROUBLE when the
    connection is dead: PostgreSQL was restarted, and nothing was written."""
    driver = await driver_of(pooled)
    if driver.is_closed():  # type: ignore[no-untyped-call]
        await pooled.exec_driver_sql("SELECT 1")  # fails where SQLAlchemy sees it, which then drops all that the pool holds
    transaction = driver.transaction()  # type: ignore[no-untyped-call]
    driver.bind(set_tenant(tenant_id))
    try:
        await transaction.start()
    finally:
        driver.bind(None)
    return driver, transaction


async def driver_of(pooled: AsyncConnection) -> TenantConnection:
    """The driver's connection below one of the pool. Statements run on it are unknown to SQLAlchemy: it begins no transaction for them."""
    return cast(TenantConnection, (await pooled.get_raw_connection()).driver_connection)


class Statement(NamedTuple):
    """A statement as the driver takes it: ``$1`` for the first of ``names``."""

    sql: str
    names: Sequence[str]


@cache
def statement(sql: str) -> Statement:
    """SQL with ``:name`` parameters as the driver takes it; each text is read once."""
    compiled = text(sql).compile(dialect=_DIALECT)
    return Statement(str(compiled), tuple(compiled.positiontup or ()))


def _json_default(value: object) -> str:
    return msgspec.json.encode(value).decode()


def create_engine(url: str, *, pool_size: int = 10, server_settings: Mapping[str, str] = NO_SETTINGS) -> AsyncEngine:
    """An engine on asyncpg with JSON by msgspec. The pool waits at most ten seconds, then the caller is told to come back.

    ``server_settings`` are PostgreSQL's, for each connection.
    """
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        hide_parameters=True,  # a failing statement is logged; what was bound to it may be personal
        json_serializer=_json_default,
        json_deserializer=msgspec.json.decode,
        pool_use_lifo=True,  # the connection used last has its statements prepared
        connect_args={
            "server_settings": {"application_name": "xinzu", "timezone": "UTC", **server_settings},
            "connection_class": TenantConnection,
            "record_class": Row,
            # More than the product's distinct statements: with fewer, each is prepared again and again.
            "prepared_statement_cache_size": STATEMENTS_PREPARED_MAX,
            "statement_cache_size": STATEMENTS_PREPARED_MAX,
            "max_cached_statement_lifetime": 0,
            "max_cacheable_statement_size": 0,
        },
    )


def is_connection_loss(error: BaseException | None) -> bool:
    """Whether an error means that the database went away, so that what was under way may or may not have been committed."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_connection_loss(error.orig.__cause__))
    return isinstance(error, _LOSS)


def tenant_tables() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.info.get("tenant")]


def set_tenant(tenant_id: int) -> str:
    """The statement that binds a transaction to a tenant.

    ``SET LOCAL`` rather than ``set_config``: a Citus coordinator propagates only the former to its workers. SET takes no
    parameters, so the number is validated here.
    """
    if type(tenant_id) is not int or not 0 < tenant_id < 2**63:
        raise ValueError("a tenant id is a positive integer")
    return f"SET LOCAL {TENANT_SETTING} = '{tenant_id}'"


def apply_row_security(connection: Connection) -> None:
    """Force row security on every tenant table that does not have it yet. Run by the owner after creating tables."""
    secured = {
        row[0] for row in connection.execute(text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"))
    }
    for table in tenant_tables():
        if table.name not in secured:
            for statement in row_security_ddl(table.name):
                connection.execute(text(statement))
    seed_statistics(connection)


def seed_statistics(connection: Connection) -> None:
    """Tell the planner, for tables that were never analysed, that a tenant's number selects little and an id or unique value much.

    Without statistics it guesses 200 different values for every column: it then checks foreign keys through an index that only
    shares the tenant's prefix and reads whole tables to find a batch of rows by their ids, which makes a fresh database slower
    with every row. The first ANALYZE replaces this.
    """
    connection.execute(
        text(
            "SELECT pg_restore_attribute_stats('schemaname', n.nspname::text, 'relname', c.relname::text, 'attname', a.attname::text,"
            " 'inherited', false, 'null_frac', 0::real, 'avg_width', CASE WHEN a.attlen > 0 THEN a.attlen ELSE 32 END,"
            " 'n_distinct', CASE WHEN a.attname = 'tenant_id' THEN 1::real ELSE -1::real END)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname = ANY(:tables)"
            " AND (a.attname = 'tenant_id' OR a.atttypid = 'uuid'::regtype OR EXISTS (SELECT 1 FROM pg_index i"
            " WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 2 AND a.attnum = ANY(i.indkey)))"
            " AND NOT EXISTS (SELECT 1 FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)"
        ),
        {"tables": [table.name for table in tenant_tables()]},
    )
