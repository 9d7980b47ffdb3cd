"""Agreements as they go over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.terms import AgreementTerms, DailyRent, EndsIn, Financing
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.middle.agreements.model import Agreement
from xinzu.platform.http.fields import ONE_LINE, Hex32

AMOUNT_MAX_FEN = 10**15


class AcceptanceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The customer's acceptance.

    ``document_sha256`` is of the file the customer was shown. Each on a tick of its own: a rental needs ``restriction_clause_accepted``,
    a finance lease or loan ``cost_table_accepted``. ``network_address`` is the customer's IP address as the channel saw it (default:
    where the request came from).
    """

    code: Annotated[str, msgspec.Meta(min_length=6, max_length=6, pattern=r"^[0-9]{6}$(?!\n)")]
    document_sha256: Hex32
    restriction_clause_accepted: bool = False
    cost_table_accepted: bool = False
    network_address: Annotated[str, msgspec.Meta(min_length=2, max_length=45, pattern=r"^[0-9a-fA-F.:]+$(?!\n)")] | None = None


class CommencementBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A finance lease or loan begins.

    ``reference`` is the bank's reference of the disbursement, or the handover protocol's number or the VIN: no personal data.
    ``disbursed_fen`` is what the borrower was paid, in fen: the principal, or its tranche of that day (Civil Code art. 670); left out for a
    finance lease, and where the first tranche comes later.
    """

    commencement_on: BusinessDate
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=ONE_LINE)]
    disbursed_fen: Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_FEN)] | None = None


class CodeSent(msgspec.Struct, kw_only=True):
    """A one-time code is on its way to the lessee's phone."""

    agreement_id: str
    expires_at: Instant


class Signed(msgspec.Struct, kw_only=True):
    """The agreement is signed."""

    id: str
    agreement_no: str
    document_sha256: str
    signed_at: Instant


class TermsView(msgspec.Struct, kw_only=True):
    """The terms as agreed. Amounts in fen including VAT; rates are decimal strings. ``financing`` is null for a rental."""

    agreement_id: str
    agreement_no: str
    family: str
    product_id: str
    plan_id: str
    product_name: str
    daily: DailyRent | None
    period_months: int
    period_days: int
    period_count: int
    rent_fen: int
    rent_total_fen: int
    deposit_fen: int
    authorised_fen: int
    device_value_fen: int
    buyout_fen: int | None
    early_return_fee_fen: int
    late_fee_daily_rate: str
    grace_days: int
    restriction_clause_version: str
    first_rents: int
    first_payment_fen: int
    ends_in: EndsIn
    buyout_prices_fen: tuple[int, ...]
    due_shift: str
    annual_cost_pct: str | None
    financing: Financing | None


class DocumentView(msgspec.Struct, kw_only=True):
    """The contract document; its bytes are at ``…/document``."""

    id: str
    sha256: str


class AgreementView(msgspec.Struct, kw_only=True):
    """An agreement. ``document`` is null until the signer is verified and the contract rendered.

    A rental commences with an ``asset_id``, a finance lease or loan with a ``reference``.
    """

    id: str
    agreement_no: str
    application_id: str
    party_id: str
    channel: str
    state: str
    family: str
    product_name: str
    rent_fen: int
    period_count: int
    drafted_at: Instant
    document: DocumentView | None
    signed_at: Instant | None
    asset_id: str | None
    reference: str | None
    commencement_on: BusinessDate | None
    ended_on: BusinessDate | None
    end_reason: str | None


class AgreementPage(msgspec.Struct, kw_only=True):
    """Agreements, newest first."""

    items: list[AgreementView]
    next_cursor: str | None


def agreement_view(agreement: Agreement) -> AgreementView:
    document = None
    if agreement.document_id is not None and agreement.document_sha256 is not None:
        document = DocumentView(id=public_id(Prefix.DOCUMENT, agreement.document_id), sha256=agreement.document_sha256)
    return AgreementView(
        id=public_id(Prefix.AGREEMENT, agreement.id),
        agreement_no=agreement.agreement_no,
        application_id=public_id(Prefix.APPLICATION, agreement.application_id),
        party_id=public_id(Prefix.PARTY, agreement.party_id),
        channel=agreement.channel,
        state=agreement.state,
        family=agreement.terms.family,
        product_name=agreement.terms.product_name,
        rent_fen=agreement.terms.rent_fen,
        period_count=agreement.terms.period_count,
        drafted_at=agreement.drafted_at,
        document=document,
        signed_at=agreement.signed_at,
        asset_id=None if agreement.asset_id is None else public_id(Prefix.ASSET, agreement.asset_id),
        reference=agreement.reference,
        commencement_on=agreement.commencement_on,
        ended_on=agreement.ended_on,
        end_reason=agreement.end_reason,
    )


def terms_view(agreement: Agreement) -> TermsView:
    terms: AgreementTerms = agreement.terms
    return TermsView(
        agreement_id=public_id(Prefix.AGREEMENT, agreement.id),
        agreement_no=agreement.agreement_no,
        family=terms.family,
        product_id=public_id(Prefix.PRODUCT, terms.product_id),
        plan_id=public_id(Prefix.PLAN, terms.plan_id),
        product_name=terms.product_name,
        daily=terms.daily,
        period_months=terms.period_months,
        period_days=terms.period_days,
        period_count=terms.period_count,
        rent_fen=terms.rent_fen,
        rent_total_fen=terms.rent_total_fen,
        deposit_fen=terms.deposit_fen,
        authorised_fen=terms.authorised_fen,
        device_value_fen=terms.device_value_fen,
        buyout_fen=terms.buyout_fen,
        early_return_fee_fen=terms.early_return_fee_fen,
        late_fee_daily_rate=terms.late_fee_daily_rate,
        grace_days=terms.grace_days,
        restriction_clause_version=terms.restriction_clause_version,
        first_rents=terms.first_rents,
        first_payment_fen=terms.first_payment_fen,
        ends_in=terms.ends_in,
        buyout_prices_fen=terms.buyout_prices_fen,
        due_shift=terms.due_shift,
        annual_cost_pct=terms.annual_cost_pct,
        financing=terms.financing,
    )
