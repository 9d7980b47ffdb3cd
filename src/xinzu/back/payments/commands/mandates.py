"""Ask for a pre-authorisation, take in the customer's confirmation, renew or call off an order nobody confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from xinzu.back.payments.commands.payments import intend_payments
from xinzu.back.payments.commands.refunds import intend_refunds
from xinzu.back.payments.commands.releases import release_rests, release_what_is_due, settle_withdrawals
from xinzu.back.payments.errors import MandateUnknown
from xinzu.back.payments.events import MandateAuthorised
from xinzu.back.payments.model import MANDATE, Mandate, MandateState, PaymentIntent, Provider, Purpose
from xinzu.back.payments.providers.base import Operation, OperationStatus, OperationType
from xinzu.back.payments.schemas import PreAuthorisationView
from xinzu.back.payments.store import mandates as store
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.terms import AgreementTerms
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence

log = structlog.get_logger(__name__)

TITLE_CHARS_MAX = 80


async def intend_mandates(uow: UnitOfWork, signed: Sequence[tuple[UUID, UUID, str, AgreementTerms]]) -> None:
    """Prepare the pre-authorisation of each (agreement, party, agreement number, terms): deposit and all that will fall due in one
    amount, of which the rents due at commencement are collected first."""
    new = []
    for agreement_id, party_id, agreement_no, terms in signed:
        id_ = new_id()
        order_no, request_no = order_numbers(id_, 1)
        new.append(
            store.NewMandate(
                id=id_,
                agreement_id=agreement_id,
                party_id=party_id,
                title=f"{terms.product_name} {agreement_no}"[:TITLE_CHARS_MAX],
                out_order_no=order_no,
                out_request_no=request_no,
                authorised_fen=terms.authorised_fen,
                first_rent_fen=terms.first_payment_fen,
            )
        )
    await store.insert_mandates(uow, Provider.ALIPAY, new)


async def check_mandates(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> list[Outcome[PreAuthorisationView]]:
    """Ask the provider whether the customer confirmed, where we do not know it yet. Refuses with MandateUnknown."""
    locked = await store.lock_by_agreement(uow, agreement_ids)
    waiting = [str(mandate.id) for mandate in locked.values() if mandate.state is MandateState.INTENDED]
    if waiting:
        uow.enqueue("payments.query_mandates", {"mandate_ids": waiting})
    return [
        PreAuthorisationView.of(locked[agreement_id]) if agreement_id in locked else MandateUnknown()
        for agreement_id in agreement_ids
    ]


def order_numbers(mandate_id: UUID, order_round: int) -> tuple[str, str]:
    """Our order and request number of a mandate's n-th order: visible letters and digits, at most 64."""
    order_no = public_id(Prefix.MANDATE, mandate_id) + (f"_{order_round}" if order_round > 1 else "")
    return order_no, f"{order_no}_freeze"


async def take_in_freezes(uow: UnitOfWork, operations: Sequence[Operation]) -> dict[str, str | None]:
    """Take in what the provider says about orders; returns by order number None, or why the message contradicts the mandate.

    Order numbers nobody knows are missing from the result. A confirmed order makes the mandate authorised, states
    MandateAuthorised, leaves evidence and starts the first rent; a closed one gets a new number for the customer to try again.
    """
    locked = await store.lock_by_order_no(uow, [operation.order_no for operation in operations])
    judged: dict[str, str | None] = {}
    confirmed: list[tuple[Mandate, Operation]] = []
    ended: list[Mandate] = []
    for operation in operations:
        mandate = locked.get(operation.order_no)
        if mandate is None:
            continue
        judged[operation.order_no] = reason = _contradiction(mandate, operation)
        if reason is not None or mandate.auth_no is not None or any(mandate.id == known.id for known, _ in confirmed):
            continue
        if operation.status is OperationStatus.SUCCEEDED and MANDATE.allows(mandate.state, MandateState.AUTHORISED):
            confirmed.append((mandate, operation))
        elif operation.status is OperationStatus.CLOSED and mandate.state is MandateState.INTENDED:
            ended.append(mandate)
    await _authorise(uow, confirmed)
    await _renew_or_close(uow, ended)
    return judged


def _contradiction(mandate: Mandate, operation: Operation) -> str | None:
    if operation.type is not OperationType.FREEZE:
        return "wrong_operation"
    if operation.request_no != mandate.out_request_no:
        return "wrong_request_no"
    if operation.amount_fen != mandate.authorised_fen:
        return "amount_mismatch"
    if mandate.auth_no is not None and operation.auth_no != mandate.auth_no:
        return "wrong_auth_no"
    return None


async def _authorise(uow: UnitOfWork, confirmed: Sequence[tuple[Mandate, Operation]]) -> None:
    if not confirmed:
        return
    standing = []
    for mandate, operation in confirmed:
        payer = operation.payer_id
        sealed = None if payer is None else uow.vault.seal_text(f"payments_mandate.payer_id:{mandate.id}", payer)
        standing.append((mandate.id, operation.auth_no, sealed, operation.occurred_at or uow.now))
    await store.authorise(uow, standing)
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "payments.mandate.authorised",
                mandate.agreement_id,
                {
                    "mandate_id": str(mandate.id),
                    "provider": mandate.provider.value,
                    "out_order_no": mandate.out_order_no,
                    "auth_no": operation.auth_no,
                    "operation_id": operation.operation_id,
                    "authorised_fen": mandate.authorised_fen,
                    "credit_fen": operation.credit_fen,
                    "fund_fen": operation.fund_fen,
                },
            )
            for mandate, operation in confirmed
        ],
    )
    wanted = [mandate for mandate, _ in confirmed if mandate.release_due_since is None]
    for mandate in wanted:
        uow.emit(
            MandateAuthorised(
                subject_id=mandate.agreement_id,
                mandate_id=mandate.id,
                party_id=mandate.party_id,
                authorised_fen=mandate.authorised_fen,
            )
        )
    await intend_payments(
        uow,
        [
            PaymentIntent(
                agreement_id=mandate.agreement_id,
                purpose=Purpose.FIRST_RENT,
                amount_fen=mandate.first_rent_fen,
                due_on=uow.business_date,
            )
            for mandate in wanted
        ],
    )
    # Confirmed in the second it was called off: straight back to the customer.
    await release_what_is_due(uow, [mandate.id for mandate, _ in confirmed if mandate.release_due_since is not None])


async def _renew_or_close(uow: UnitOfWork, ended: Sequence[Mandate]) -> None:
    """An order that was refused or ran out: a new number where the agreement still waits, the end where it was called off."""
    waiting = [mandate for mandate in ended if mandate.release_due_since is None]
    if waiting:
        await store.renumber(uow, [(mandate.id, *order_numbers(mandate.id, mandate.order_round + 1)) for mandate in waiting])
    await settle_withdrawals(uow, [(mandate.id, None, False) for mandate in ended if mandate.release_due_since is not None])


async def call_off(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    """An agreement ended before commencement: everything collected goes back and the rest is released or withdrawn."""
    await intend_refunds(uow, dict.fromkeys(agreement_ids), "合同取消")
    await release_rests(uow, agreement_ids)
