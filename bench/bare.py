"""What the database alone allows: the very rows the product wrote, inserted again by asyncpg without any product code.

Same tables, constraints, indexes and row-level security, same role, same batch and number of transactions under way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from xinzu.platform.db import set_tenant
from xinzu.platform.runtime import connect_raw

BATCH = 256
WRITERS = 2

# What an order writes, in the order of its applications; the number is how many rows one order has.
ORDER_TABLES: Sequence[tuple[str, int, str]] = (
    ("parties_person", 1, "JOIN applications_application a ON a.tenant_id = t.tenant_id AND a.party_id = t.id ORDER BY a.id"),
    (
        "parties_consent",
        3,
        "JOIN applications_application a ON a.tenant_id = t.tenant_id AND a.party_id = t.party_id ORDER BY a.id",
    ),
    ("applications_application", 1, "ORDER BY t.id"),
    ("platform_event", 1, "JOIN applications_application a ON a.tenant_id = t.tenant_id AND a.id = t.subject_id ORDER BY a.id"),
    (
        "platform_delivery",
        1,
        "JOIN platform_event e ON e.tenant_id = t.tenant_id AND e.id = t.event_id"
        " JOIN applications_application a ON a.tenant_id = t.tenant_id AND a.id = e.subject_id ORDER BY a.id",
    ),
    ("evidence_leaf", 1, "JOIN applications_application a ON a.tenant_id = t.tenant_id AND a.id = t.subject_id ORDER BY a.id"),
    ("platform_idempotency", 1, "ORDER BY t.key"),
)
# What must stand before: written once per target tenant.
FOUNDATION = ("catalogue_product", "catalogue_plan")


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows of one table, column by column, and the statement that writes a slice of them."""

    statement: str
    columns: Sequence[Sequence[Any]]
    per_order: int

    def arguments(self, order_from: int, order_to: int) -> list[Sequence[Any]]:
        return [column[order_from * self.per_order : order_to * self.per_order] for column in self.columns]


async def copy_orders(app_url: str, tenant_id: int) -> tuple[list[Copied], list[Copied]]:
    """A tenant's foundation and its orders, read as the app role."""
    connection = await connect_raw(app_url)
    try:
        async with connection.transaction():
            await connection.execute(set_tenant(tenant_id))
            foundation = [await _copied(connection, table, 1, "") for table in FOUNDATION]
            return foundation, [await _copied(connection, *table) for table in ORDER_TABLES]
    finally:
        await connection.close()


async def _copied(connection: asyncpg.Connection, table: str, per_order: int, rest: str) -> Copied:
    # Columns that are arrays themselves cannot go through unnest; they hold their default here.
    columns = await connection.fetch(
        "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attname <> 'tenant_id' AND NOT format_type(atttypid, atttypmod) LIKE '%[]'"
        " ORDER BY attnum",
        table,
    )
    names = ", ".join(column["attname"] for column in columns)
    arrays = ", ".join(f"${place}::{column['type']}[]" for place, column in enumerate(columns, start=2))
    rows = await connection.fetch(f"SELECT {', '.join('t.' + column['attname'] for column in columns)} FROM {table} t {rest}")
    values = [[row[place] for row in rows] for place in range(len(columns))]
    return Copied(f"INSERT INTO {table} (tenant_id, {names}) SELECT $1, * FROM unnest({arrays})", values, per_order)


def order_count(orders: Sequence[Copied]) -> int:
    """How many whole orders were copied."""
    return min(len(table.columns[0]) // table.per_order for table in orders)


async def insert_orders(app_url: str, tenant_id: int, foundation: Sequence[Copied], orders: Sequence[Copied]) -> float:
    """Write all orders for a tenant that has none; returns the seconds it took."""
    count = order_count(orders)
    connections = [await connect_raw(app_url) for _ in range(WRITERS)]
    batches = iter([(first, min(first + BATCH, count)) for first in range(0, count, BATCH)])

    async def write(connection: asyncpg.Connection, tables: Sequence[Copied], first: int, last: int) -> None:
        async with connection.transaction():
            await connection.execute(set_tenant(tenant_id))
            for table in tables:
                await connection.execute(table.statement, tenant_id, *table.arguments(first, last))

    async def work(connection: asyncpg.Connection) -> None:
        for first, last in batches:
            await write(connection, orders, first, last)

    try:
        await write(connections[0], foundation, 0, len(foundation[0].columns[0]))
        started = time.perf_counter()
        await asyncio.gather(*(work(connection) for connection in connections))
        return time.perf_counter() - started
    finally:
        for connection in connections:
            await connection.close()
