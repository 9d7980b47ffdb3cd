"""What the doors call for commands that may take a second person: how their requests are kept until then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from xinzu.back.billing.commands import controls
from xinzu.back.billing.commands.adjust import Waiver, WriteOff, waive_items, write_off_accounts
from xinzu.back.billing.commands.amend import amend
from xinzu.back.billing.commands.plan_amendments import Amendment, amendment_of
from xinzu.back.billing.commands.record_refunds import BankRefund, record_bank_refunds
from xinzu.back.billing.rules.servicing.default import Termination
from xinzu.back.billing.schemas import AnyAmendment
from xinzu.kernel.errors import invariant
from xinzu.platform.approvals import About, with_second_person
from xinzu.platform.uow import UnitOfWork


def _about(asked: Waiver | WriteOff | BankRefund) -> About:
    return About(asked.agreement_id, asked.reason, asked.evidence_ref)


def _encode(asked: Waiver | WriteOff | BankRefund) -> Mapping[str, Any]:
    return _without_nulls(msgspec.to_builtins(asked))


def _without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(value) if isinstance(value, dict) else value for name, value in fields.items() if value is not None
    }


def _about_termination(asked: Amendment) -> About:
    invariant(isinstance(asked.event, Termination), "of amendments only a termination is held")
    event: Any = asked.event
    return About(asked.agreement_id, asked.reason, asked.evidence_ref or event.valuation_ref or event.demand.proof_ref)


def _encode_termination(asked: Amendment) -> Mapping[str, Any]:
    """As the request came, so that it is read by the same words."""
    body = {
        "kind": "termination",
        "reason": asked.reason,
        "expected_sha256": asked.expected_sha256,
        "evidence_ref": asked.evidence_ref or None,
        **msgspec.to_builtins(asked.event),
    }
    return _without_nulls({"agreement_id": str(asked.agreement_id), "body": body})


def _decode_termination(uow: UnitOfWork, kept: Any) -> Amendment:  # noqa: ANN401 (JSON)
    """A termination takes effect when it is declared (Civil Code art. 565): one that is approved later, on the day of the approval. The
    position of that day is another than the one previewed; what the second person sees is the amount."""
    body: AnyAmendment = msgspec.convert(kept["body"], AnyAmendment)
    asked = amendment_of(UUID(kept["agreement_id"]), body)
    if asked.event.on >= uow.business_date:
        return asked
    moved: Any = replace(asked.event, on=uow.business_date)
    return replace(asked, event=moved, expected_sha256=None)


waive = with_second_person(
    controls.WAIVER, waive_items, about=_about, encode=_encode, decode=lambda _, kept: msgspec.convert(kept, Waiver)
)
write_off = with_second_person(
    controls.WRITE_OFF, write_off_accounts, about=_about, encode=_encode, decode=lambda _, kept: msgspec.convert(kept, WriteOff)
)
refund = with_second_person(
    controls.REFUND, record_bank_refunds, about=_about, encode=_encode, decode=lambda _, kept: msgspec.convert(kept, BankRefund)
)
change = with_second_person(
    controls.TERMINATION, amend, about=_about_termination, encode=_encode_termination, decode=_decode_termination
)
