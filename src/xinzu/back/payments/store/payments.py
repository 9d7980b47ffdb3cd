"""Attempts to collect, releases and refunds in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.back.payments.model import AttemptState, Demand, Payment, PaymentIntent, Purpose
from xinzu.back.payments.store.mandates import OPEN
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_COLUMNS = (
    "id, mandate_id, agreement_id, party_id, purpose, instalment_id, attempt, amount_fen, refunded_fen, out_trade_no, trade_no,"
    " state, failure_code, due_on, created_at, paid_at"
)

_INSERT = """
INSERT INTO payments_payment (tenant_id, id, mandate_id, agreement_id, party_id, purpose, instalment_id, attempt, amount_fen,
                              refunded_fen, out_trade_no, state, failure_code, due_on, attempted_on, created_at, changed_at)
SELECT :tenant, p.id, p.mandate_id, p.agreement_id, p.party_id, p.purpose, p.instalment_id, p.attempt, p.amount_fen,
       0, p.out_trade_no, p.state, p.failure_code, p.due_on, :today, :now, :now
FROM unnest(cast(:ids AS uuid[]), cast(:mandates AS uuid[]), cast(:agreements AS uuid[]), cast(:parties AS uuid[]),
            cast(:purposes AS text[]), cast(:instalments AS uuid[]), cast(:attempts AS smallint[]), cast(:amounts AS bigint[]),
            cast(:trade_nos AS text[]), cast(:states AS text[]), cast(:failures AS text[]), cast(:dues AS date[]))
     AS p(id, mandate_id, agreement_id, party_id, purpose, instalment_id, attempt, amount_fen, out_trade_no, state, failure_code,
          due_on)
"""

_STANDING = f"""
SELECT cast(w.nth AS int) AS nth
FROM unnest(cast(:agreements AS uuid[]), cast(:purposes AS text[]), cast(:instalments AS uuid[]), cast(:attempts AS int[]))
     WITH ORDINALITY AS w(agreement_id, purpose, instalment_id, attempt, nth)
WHERE EXISTS (
    SELECT 1 FROM payments_payment p
    WHERE p.tenant_id = :tenant AND p.agreement_id = w.agreement_id AND p.purpose = w.purpose
      AND p.instalment_id IS NOT DISTINCT FROM w.instalment_id AND (p.attempt >= w.attempt OR p.{OPEN})
)
"""  # noqa: S608

_DEMANDS = f"""
SELECT p.agreement_id, p.instalment_id, min(p.due_on) AS due_on,
       cast((array_agg(p.amount_fen ORDER BY p.attempt))[1] AS bigint) AS asked_fen,
       cast(coalesce(sum(p.amount_fen) FILTER (WHERE p.state = 'succeeded' OR p.{OPEN}), 0) AS bigint) AS collected_fen
FROM payments_payment p
WHERE p.tenant_id = :tenant AND p.agreement_id = ANY(cast(:agreements AS uuid[])) AND p.purpose = 'instalment'
GROUP BY p.agreement_id, p.instalment_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """An attempt about to be written: intended, or failed at once for want of a rest."""

    id: UUID
    mandate_id: UUID
    party_id: UUID
    intent: PaymentIntent
    amount_fen: int
    out_trade_no: str
    state: AttemptState
    failure_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefund:
    """A refund about to be written."""

    id: UUID
    payment_id: UUID
    mandate_id: UUID
    agreement_id: UUID
    party_id: UUID
    amount_fen: int
    out_request_no: str
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it stands."""

    id: UUID
    mandate_id: UUID
    amount_fen: int
    out_request_no: str
    state: AttemptState


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as it stands."""

    id: UUID
    payment_id: UUID
    agreement_id: UUID
    party_id: UUID
    amount_fen: int
    state: AttemptState


async def standing(read: ReadSession, intents: Sequence[PaymentIntent]) -> set[int]:
    """Which of these (by position) were intended before, or have a payment under way."""
    rows = await read.rows(
        _STANDING,
        agreements=[intent.agreement_id for intent in intents],
        purposes=[intent.purpose.value for intent in intents],
        instalments=[intent.instalment_id for intent in intents],
        attempts=[intent.attempt for intent in intents],
    )
    return {row.nth - 1 for row in rows}


async def insert_payments(uow: UnitOfWork, payments: Sequence[NewPayment]) -> None:
    await uow.execute(
        _INSERT,
        today=uow.business_date,
        now=uow.now,
        ids=[payment.id for payment in payments],
        mandates=[payment.mandate_id for payment in payments],
        agreements=[payment.intent.agreement_id for payment in payments],
        parties=[payment.party_id for payment in payments],
        purposes=[payment.intent.purpose.value for payment in payments],
        instalments=[payment.intent.instalment_id for payment in payments],
        attempts=[payment.intent.attempt for payment in payments],
        amounts=[payment.amount_fen for payment in payments],
        trade_nos=[payment.out_trade_no for payment in payments],
        states=[payment.state.value for payment in payments],
        failures=[payment.failure_code for payment in payments],
        dues=[payment.intent.due_on for payment in payments],
    )


async def payments_by_id(read: ReadSession, ids: Sequence[UUID]) -> dict[UUID, Payment]:
    rows = await read.rows(
        f"SELECT {_COLUMNS} FROM payments_payment WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",  # noqa: S608
        ids=list(ids),
    )
    return {row.id: _payment(row) for row in rows}


async def payments_by_trade_no(read: ReadSession, trade_nos: Sequence[str]) -> dict[str, Payment]:
    rows = await read.rows(
        f"SELECT {_COLUMNS} FROM payments_payment WHERE tenant_id = :tenant AND out_trade_no = ANY(cast(:numbers AS text[]))",  # noqa: S608
        numbers=list(trade_nos),
    )
    return {row.out_trade_no: _payment(row) for row in rows}


async def payments_of(read: ReadSession, agreement_id: UUID, before: UUID | None, limit: int) -> list[Payment]:
    """Attempts of an agreement, newest first."""
    rows = await read.rows(
        f"SELECT {_COLUMNS} FROM payments_payment WHERE tenant_id = :tenant AND agreement_id = :agreement"  # noqa: S608
        " AND (cast(:before AS uuid) IS NULL OR id < cast(:before AS uuid)) ORDER BY id DESC LIMIT :limit",
        agreement=agreement_id,
        before=before,
        limit=limit,
    )
    return [_payment(row) for row in rows]


async def newest_by_purpose(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[tuple[UUID, Purpose], Payment]:
    """The newest attempt of each purpose, per agreement."""
    rows = await read.rows(
        f"SELECT DISTINCT ON (agreement_id, purpose) {_COLUMNS} FROM payments_payment"  # noqa: S608
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))"
        " ORDER BY agreement_id, purpose, attempt DESC, id DESC",
        agreements=list(agreement_ids),
    )
    return {(row.agreement_id, Purpose(row.purpose)): _payment(row) for row in rows}


async def set_to_retry(uow: UnitOfWork, ids: Sequence[UUID], to_retry: bool) -> None:
    await uow.execute(
        "UPDATE payments_payment SET to_retry = :to_retry WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(ids),
        to_retry=to_retry,
    )


async def stop_retries(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    """No failed attempt of these agreements is tried again by itself."""
    await uow.execute(
        "UPDATE payments_payment SET to_retry = false"
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND to_retry",
        agreements=list(agreement_ids),
    )


async def agreements_to_retry(read: ReadSession, today: BusinessDate) -> list[UUID]:
    """Agreements with an attempt that failed on an earlier day."""
    rows = await read.rows(
        "SELECT DISTINCT agreement_id FROM payments_payment WHERE tenant_id = :tenant AND to_retry AND attempted_on < :today",
        today=today,
    )
    return [row.agreement_id for row in rows]


async def to_retry(read: ReadSession, agreement_ids: Sequence[UUID], today: BusinessDate) -> list[Payment]:
    """The failed attempts of these agreements that today's turn tries again, oldest due first."""
    rows = await read.rows(
        f"SELECT {_COLUMNS} FROM payments_payment WHERE tenant_id = :tenant AND to_retry AND attempted_on < :today"  # noqa: S608
        " AND agreement_id = ANY(cast(:agreements AS uuid[])) ORDER BY due_on, id",
        agreements=list(agreement_ids),
        today=today,
    )
    return [_payment(row) for row in rows]


async def demands_of(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, list[Demand]]:
    """What was asked for and collected per instalment, by agreement. What is under way counts as collected."""
    found: dict[UUID, list[Demand]] = {}
    for row in await read.rows(_DEMANDS, agreements=list(agreement_ids)):
        found.setdefault(row.agreement_id, []).append(Demand(row.instalment_id, row.due_on, row.asked_fen, row.collected_fen))
    return found


async def arrears_paid(read: ReadSession, agreement_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """What customers paid actively (or are paying now), by agreement."""
    rows = await read.rows(
        "SELECT agreement_id, cast(sum(amount_fen) AS bigint) AS paid_fen FROM payments_payment"  # noqa: S608
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND purpose = 'arrears'"
        f" AND (state = 'succeeded' OR {OPEN}) GROUP BY agreement_id",
        agreements=list(agreement_ids),
    )
    return {row.agreement_id: row.paid_fen for row in rows}


async def refundable(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, list[Payment]]:
    """Payments that can be given back in whole or part, newest first, by agreement."""
    rows = await read.rows(
        f"SELECT {_COLUMNS} FROM payments_payment WHERE tenant_id = :tenant AND state = 'succeeded'"  # noqa: S608
        " AND agreement_id = ANY(cast(:agreements AS uuid[])) AND refunded_fen < amount_fen ORDER BY paid_at DESC, id DESC",
        agreements=list(agreement_ids),
    )
    found: dict[UUID, list[Payment]] = {}
    for row in rows:
        found.setdefault(row.agreement_id, []).append(_payment(row))
    return found


async def insert_refunds(uow: UnitOfWork, refunds: Sequence[NewRefund]) -> None:
    """Write refunds and count them on their payments."""
    await uow.execute(
        "INSERT INTO payments_refund (tenant_id, id, payment_id, mandate_id, agreement_id, party_id, amount_fen, out_request_no,"
        " reason, state, created_at, changed_at)"
        " SELECT :tenant, r.id, r.payment_id, r.mandate_id, r.agreement_id, r.party_id, r.amount_fen, r.request_no, r.reason,"
        " 'intended', :now, :now"
        " FROM unnest(cast(:ids AS uuid[]), cast(:payments AS uuid[]), cast(:mandates AS uuid[]), cast(:agreements AS uuid[]),"
        " cast(:parties AS uuid[]), cast(:amounts AS bigint[]), cast(:request_nos AS text[]), cast(:reasons AS text[]))"
        " AS r(id, payment_id, mandate_id, agreement_id, party_id, amount_fen, request_no, reason)",
        now=uow.now,
        ids=[refund.id for refund in refunds],
        payments=[refund.payment_id for refund in refunds],
        mandates=[refund.mandate_id for refund in refunds],
        agreements=[refund.agreement_id for refund in refunds],
        parties=[refund.party_id for refund in refunds],
        amounts=[refund.amount_fen for refund in refunds],
        request_nos=[refund.out_request_no for refund in refunds],
        reasons=[refund.reason for refund in refunds],
    )
    await change_refunded(uow, [(refund.payment_id, refund.amount_fen) for refund in refunds])


async def change_refunded(uow: UnitOfWork, changes: Sequence[tuple[UUID, int]]) -> None:
    """Count (payment, amount) as refunded, or with a negative amount as not refunded after all."""
    await uow.execute(
        "UPDATE payments_payment p SET refunded_fen = p.refunded_fen + c.amount_fen"
        " FROM (SELECT id, sum(amount_fen) AS amount_fen FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[]))"
        " AS u(id, amount_fen) GROUP BY id) AS c WHERE p.tenant_id = :tenant AND p.id = c.id",
        ids=[payment_id for payment_id, _ in changes],
        amounts=[amount_fen for _, amount_fen in changes],
    )


async def refunds_by_id(read: ReadSession, ids: Sequence[UUID]) -> dict[UUID, Refund]:
    rows = await read.rows(
        "SELECT id, payment_id, agreement_id, party_id, amount_fen, state FROM payments_refund"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(ids),
    )
    return {
        row.id: Refund(row.id, row.payment_id, row.agreement_id, row.party_id, row.amount_fen, AttemptState(row.state))
        for row in rows
    }


async def insert_releases(uow: UnitOfWork, releases: Sequence[tuple[UUID, UUID, UUID, int, str]]) -> None:
    """Write (id, mandate, agreement, amount, request number) of releases."""
    await uow.execute(
        "INSERT INTO payments_release (tenant_id, id, mandate_id, agreement_id, amount_fen, out_request_no, state, attempted_on,"
        " created_at, changed_at) SELECT :tenant, r.id, r.mandate_id, r.agreement_id, r.amount_fen, r.request_no, 'intended', :today,"
        " :now, :now FROM unnest(cast(:ids AS uuid[]), cast(:mandates AS uuid[]), cast(:agreements AS uuid[]),"
        " cast(:amounts AS bigint[]), cast(:request_nos AS text[])) AS r(id, mandate_id, agreement_id, amount_fen, request_no)",
        today=uow.business_date,
        now=uow.now,
        ids=[release[0] for release in releases],
        mandates=[release[1] for release in releases],
        agreements=[release[2] for release in releases],
        amounts=[release[3] for release in releases],
        request_nos=[release[4] for release in releases],
    )


async def releases_by_id(read: ReadSession, ids: Sequence[UUID]) -> dict[UUID, Release]:
    rows = await read.rows(
        "SELECT id, mandate_id, amount_fen, out_request_no, state FROM payments_release"
        " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(ids),
    )
    return {row.id: _release(row) for row in rows}


async def releases_by_request_no(read: ReadSession, request_nos: Sequence[str]) -> dict[str, Release]:
    rows = await read.rows(
        "SELECT id, mandate_id, amount_fen, out_request_no, state FROM payments_release"
        " WHERE tenant_id = :tenant AND out_request_no = ANY(cast(:numbers AS text[]))",
        numbers=list(request_nos),
    )
    return {row.out_request_no: _release(row) for row in rows}


def _release(row: Row) -> Release:
    return Release(row.id, row.mandate_id, row.amount_fen, row.out_request_no, AttemptState(row.state))


def _payment(row: Row) -> Payment:
    return Payment(
        id=row.id,
        mandate_id=row.mandate_id,
        agreement_id=row.agreement_id,
        party_id=row.party_id,
        purpose=Purpose(row.purpose),
        instalment_id=row.instalment_id,
        attempt=row.attempt,
        amount_fen=row.amount_fen,
        refunded_fen=row.refunded_fen,
        out_trade_no=row.out_trade_no,
        trade_no=row.trade_no,
        state=AttemptState(row.state),
        failure_code=row.failure_code,
        due_on=row.due_on,
        created_at=row.created_at,
        paid_at=row.paid_at,
    )
