"""What payments, releases and refunds have in common: they are claimed, called, and asked for again until known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from xinzu.back.payments.model import Verdict
from xinzu.back.payments.store.mandates import OPEN
from xinzu.kernel.time import Instant
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

RESOLVE_AFTER = timedelta(seconds=5)  # how long a provider gets before it is asked what became of a call


class Kind(StrEnum):
    """Which table; the value is the table's name, hence never from outside."""

    PAYMENT = "payments_payment"
    RELEASE = "payments_release"
    REFUND = "payments_refund"


_NUMBERS = {
    Kind.PAYMENT: "a.out_trade_no AS our_no, m.title, a.purpose AS reason, a.out_trade_no AS trade_no",
    Kind.RELEASE: "a.out_request_no AS our_no, m.title, 'release' AS reason, NULL AS trade_no",
    Kind.REFUND: "a.out_request_no AS our_no, m.title, a.reason, p.out_trade_no AS trade_no",
}
_CHANNEL_COLUMNS = {
    Kind.PAYMENT: ("trade_no", "paid_at"),
    Kind.RELEASE: ("operation_id", "released_at"),
    Kind.REFUND: (None, "refunded_at"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to make: our number for it, the pre-authorisation it belongs to, and the amount."""

    id: UUID
    our_no: str
    order_no: str
    auth_no: str
    title: str
    reason: str
    amount_fen: int
    trade_no: str | None
    payer_id: str | None


async def claim(uow: UnitOfWork, kind: Kind, ids: Sequence[UUID]) -> list[Call]:
    """Take intended ones for calling. Whoever commits this makes the call; nobody else does."""
    rows = await uow.rows(
        f"UPDATE {kind} SET state = 'calling', changed_at = :now"  # noqa: S608
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND state = 'intended' RETURNING id",
        now=uow.now,
        ids=list(ids),
    )
    return await _calls(uow, kind, [row.id for row in rows])


async def calling(read: ReadSession, kind: Kind, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the given that somebody is calling for, or was when it died."""
    if not ids:
        return []
    rows = await read.rows(
        f"SELECT id FROM {kind} WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND state = 'calling'",  # noqa: S608
        ids=list(ids),
    )
    return [row.id for row in rows]


async def claim_unresolved(uow: UnitOfWork, kind: Kind, ids: Sequence[UUID], calling_before: Instant) -> list[Call]:
    """Take those of unknown outcome, and those whose caller has been silent since ``calling_before``, for asking."""
    rows = await uow.rows(
        f"UPDATE {kind} SET state = 'unknown', changed_at = :now"  # noqa: S608
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))"
        " AND (state = 'unknown' OR (state = 'calling' AND changed_at <= :calling_before)) RETURNING id",
        now=uow.now,
        ids=list(ids),
        calling_before=calling_before,
    )
    return await _calls(uow, kind, [row.id for row in rows])


async def stale(read: ReadSession, kind: Kind, before: Instant, limit: int) -> tuple[list[UUID], list[UUID]]:
    """Open ones nothing has happened to since an instant: those to execute and those to resolve, oldest first."""
    rows = await read.rows(
        f"SELECT id, state FROM {kind} WHERE tenant_id = :tenant AND {OPEN} AND changed_at <= :before"  # noqa: S608
        " ORDER BY changed_at LIMIT :limit",
        before=before,
        limit=limit,
    )
    return [row.id for row in rows if row.state == "intended"], [row.id for row in rows if row.state != "intended"]


async def record(uow: UnitOfWork, kind: Kind, verdicts: Sequence[Verdict]) -> None:
    """Write what is now known. The caller holds the mandates' locks and has checked the moves."""
    number, at = _CHANNEL_COLUMNS[kind]
    keep_number = f"{number} = coalesce(v.channel_no, a.{number})," if number else ""
    await uow.execute(
        f"UPDATE {kind} a SET state = v.state, failure_code = v.reason, {keep_number} {at} = v.at, changed_at = :now"  # noqa: S608
        " FROM unnest(cast(:ids AS uuid[]), cast(:states AS text[]), cast(:numbers AS text[]), cast(:instants AS timestamptz[]),"
        " cast(:reasons AS text[])) AS v(id, state, channel_no, at, reason)"
        " WHERE a.tenant_id = :tenant AND a.id = v.id",
        now=uow.now,
        ids=[verdict.id for verdict in verdicts],
        states=[verdict.state.value for verdict in verdicts],
        numbers=[verdict.channel_no for verdict in verdicts],
        instants=[verdict.occurred_at for verdict in verdicts],
        reasons=[verdict.reason for verdict in verdicts],
    )


async def _calls(read: ReadSession, kind: Kind, ids: Sequence[UUID]) -> list[Call]:
    if not ids:
        return []
    trades = " JOIN payments_payment p ON p.tenant_id = a.tenant_id AND p.id = a.payment_id" if kind is Kind.REFUND else ""
    rows = await read.rows(
        f"SELECT a.id, a.amount_fen, m.id AS mandate_id, m.out_order_no, m.auth_no, m.payer_id_sealed, {_NUMBERS[kind]}"  # noqa: S608
        f" FROM {kind} a JOIN payments_mandate m ON m.tenant_id = a.tenant_id AND m.id = a.mandate_id{trades}"
        " WHERE a.tenant_id = :tenant AND a.id = ANY(cast(:ids AS uuid[])) ORDER BY a.id",
        ids=list(ids),
    )
    return [_call(read, row) for row in rows]


def _call(read: ReadSession, row: Row) -> Call:
    sealed = row.payer_id_sealed
    return Call(
        id=row.id,
        our_no=row.our_no,
        order_no=row.out_order_no,
        auth_no=row.auth_no,
        title=row.title,
        reason=row.reason,
        amount_fen=row.amount_fen,
        trade_no=row.trade_no,
        payer_id=None if sealed is None else read.vault.open_text(f"payments_mandate.payer_id:{row.mandate_id}", bytes(sealed)),
    )
