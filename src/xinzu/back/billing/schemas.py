"""Billing as it goes over HTTP and to the modules above. Amounts are fen and include VAT."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.http.fields import ONE_LINE, Hex32, PublicId

AMOUNT_MAX_FEN = 1_000_000_000_000
PositiveFen = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_FEN, description="Amount in fen, VAT included")]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=ONE_LINE)]
EvidenceRef = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=ONE_LINE, description="Where the proof is")]


class InstalmentView(msgspec.Struct, kw_only=True):
    """A leg of an instalment: ``role`` is rent, principal, interest or fee, and legs of one ``number`` fall due together. ``version`` is
    that of the schedule, which amendments raise. ``suspended_fen`` of it is interest that is owed and will be income when paid. ``state`` is
    scheduled, due, overdue, paid or cancelled."""

    id: str
    version: int
    number: int
    role: str
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int
    cancelled_fen: int
    suspended_fen: int
    state: str


class ChargeView(msgspec.Struct, kw_only=True):
    """Something owed besides instalments. ``kind`` is late_fee, damage, early_return, prepayment_fee, buyout or
    termination_loss."""

    id: str
    kind: str
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int
    cancelled_fen: int


class NextDue(msgspec.Struct, kw_only=True):
    """The next instalment, all its legs together."""

    number: int
    due_on: BusinessDate
    amount_fen: int


class AccountView(msgspec.Struct, kw_only=True):
    """What an agreement owes now, what it holds, how late it is (as of the last close) and what comes next. ``principal_fen`` is what of
    the financed amount is drawn and not repaid yet, null for a rental. ``family`` is that of its books: a sale and leaseback is a loan.
    Since ``non_accrual_since`` interest is income only when paid; ``suspended_fen`` of it is claimed and was not income."""

    agreement_id: str
    party_id: str
    family: str
    state: str
    commencement_on: BusinessDate | None
    balance_due_fen: int
    credit_balance_fen: int
    overdue_fen: int
    days_past_due: int
    next_due: NextDue | None
    principal_fen: int | None
    asset_class: str
    provision_fen: int
    written_off_on: BusinessDate | None
    non_accrual_since: BusinessDate | None
    suspended_fen: int
    shares_fen: int
    charges: list[ChargeView]


class InstalmentList(msgspec.Struct, kw_only=True):
    """The schedule, by number."""

    items: list[InstalmentView]


class ReceiptView(msgspec.Struct, kw_only=True):
    """Money that came in. What is neither allocated nor refunded is credit balance."""

    id: str
    source: str
    purpose: str
    provider: str
    provider_trade_no: str
    amount_fen: int
    allocated_fen: int
    refunded_fen: int
    received_on: BusinessDate
    reversed_on: BusinessDate | None
    recorded_at: Instant


class ReceiptPage(msgspec.Struct, kw_only=True):
    """Receipts, newest first."""

    items: list[ReceiptView]
    next_cursor: str | None


class NewReceipt(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Money that came in by transfer or over the counter. ``reference`` is the bank's: the same one is recorded once."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=ONE_LINE)]
    amount_fen: PositiveFen
    received_on: BusinessDate


class NewDisbursement(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tranche of a loan that was paid out. ``reference`` is the bank's: the same one is recorded once."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=ONE_LINE)]
    disbursed_on: BusinessDate
    disbursed_fen: PositiveFen


class Disbursement(msgspec.Struct, kw_only=True):
    """An agreed tranche of a loan, and when and under which reference of the bank it was paid out: null while it is not. One that is paid
    out at the commencement has the commencement's reference, not its own."""

    number: int
    agreed_on: BusinessDate
    amount_fen: int
    disbursed_on: BusinessDate | None
    reference: str | None


class DisbursementList(msgspec.Struct, kw_only=True):
    """The agreed tranches of a loan, in order; ``disbursed_on`` is null of what is not paid out."""

    items: list[Disbursement]


class NewRefund(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Credit balance that was given back from the bank today. ``reference`` is the bank's: the same one is recorded once. ``reason`` and
    ``evidence_ref`` are what a second person goes by."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=ONE_LINE)]
    amount_fen: PositiveFen
    reason: Reason | None = None
    evidence_ref: EvidenceRef | None = None


class ReversalBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a receipt is taken back; ``chargeback`` when the payer's bank took it."""

    kind: Literal["reversal", "chargeback"] = "reversal"
    reason: Reason


class WaiverBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is let off and why. Without ``amount_fen`` all that is open."""

    amount_fen: PositiveFen | None = None
    reason: Reason
    evidence_ref: EvidenceRef | None = None


class WriteOffBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why what is due is given up."""

    reason: Reason
    evidence_ref: EvidenceRef | None = None


class AdjustmentView(msgspec.Struct, kw_only=True):
    """Something done by hand (waiver, write_off, recovery, reversal, chargeback), or a late fee's correction by a receipt recorded late."""

    id: str
    kind: str
    amount_fen: int
    reason: str
    made_by: str
    made_on: BusinessDate
    recorded_at: Instant


class AdjustmentList(msgspec.Struct, kw_only=True):
    """Adjustments, newest first."""

    items: list[AdjustmentView]


class SegmentView(msgspec.Struct, kw_only=True):
    """A stretch of days (both included) and the amount the calculation stood on. Of interest: ``base_fen`` × ``rate_pct`` ÷ 100 ×
    ``year_fraction``, settled to whole fen, is ``amount_fen``."""

    from_on: BusinessDate
    to_on: BusinessDate
    days: int
    base_fen: int
    rate_pct: str | None
    year_fraction: str | None
    amount_fen: int | None


class AmountWhy(msgspec.Struct, kw_only=True):
    """How an amount came to be: the formula, its inputs, and its segments in time."""

    item_id: str
    kind: str
    amount_fen: int
    formula: str
    words_zh: str
    words_en: str
    inputs: dict[str, str | int]
    segments: list[SegmentView]


class CloseRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The business date to close. With ``dry_run`` nothing is changed and the answer says what would be."""

    business_date: Annotated[BusinessDate, msgspec.Meta(description="The finished business date whose turn it is")]
    dry_run: bool = False


# --- amendments ---------------------------------------------------------------------------------------------------------------

AnyFen = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX_FEN, description="Amount in fen, VAT included")]
AnnualPct = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,20})?$(?!\n)", max_length=24, description="Percent a year")
]
FeePct = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{1,2}(\.[0-9]{1,6})?$(?!\n)", max_length=9, description="Percent of the principal")
]
Periods = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=ONE_LINE)]
Clause = Annotated[
    str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)", description="The contract's, empty for none")
]


class AmendmentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every change says: from when it counts and why it is made. ``expected_sha256`` is the preview's ``position_sha256``: when the
    account has moved since, nothing is done."""

    on: BusinessDate
    reason: Reason
    expected_sha256: Hex32 | None = None


class PrepaymentBody(AmendmentBody, tag="prepayment"):
    """So much principal is paid ahead (for the next instalments: so much money)."""

    amount_fen: PositiveFen
    policy: Literal["reduce_instalment", "reduce_term", "next_instalments"]
    fee_pct: FeePct = "0"
    least_fen: PositiveFen = 1


class PayoffBody(AmendmentBody, tag="payoff"):
    """Everything is paid."""

    fee_pct: FeePct = "0"


class RateChangeBody(AmendmentBody, tag="rate_change"):
    """A new annual rate; the date may lie in the past."""

    annual_rate_pct: AnnualPct


class ReAmortiseBody(AmendmentBody, tag="re_amortise"):
    """New equal instalments to the same end."""


class ExtensionBody(AmendmentBody, tag="extension"):
    """Every due date to come moves by so many periods."""

    periods: Periods


class MoratoriumBody(AmendmentBody, tag="moratorium"):
    """No principal for so many periods; the term is as much longer."""

    periods: Periods
    interest: Literal["paid", "deferred", "capitalised"]


class RestructureBody(AmendmentBody, tag="restructure"):
    """A new rate, number of instalments and method for what is outstanding."""

    periods: Periods
    annual_rate_pct: AnnualPct
    method: Literal["equal_instalment", "equal_principal", "interest_only", "bullet", "balloon"] = "equal_instalment"
    balloon_fen: AnyFen = 0


class ReAgeBody(AmendmentBody, tag="re_age"):
    """Arrears are spread over the instalments to come, or over so many. Days past due begin anew only on a recorded ground."""

    periods: Periods | None = None
    reset_ground: Reference | None = None


class RenewalBody(AmendmentBody, tag="renewal"):
    """More periods of a rental. ``every`` is the months of one; ``rents_max_fen`` the most that all rents together may come to."""

    periods: Periods
    rent_fen: PositiveFen
    every: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1
    rents_max_fen: PositiveFen | None = None


class BuyoutBody(AmendmentBody, tag="buyout"):
    """The lessee keeps the thing; without a price at the contract's."""

    price_fen: AnyFen | None = None


class TransferBody(AmendmentBody, tag="transfer"):
    """Another lessee takes over. What is open goes ``with_new``, or must be paid by the old one first (``with_old``)."""

    party_id: PublicId
    open_items: Literal["with_old", "with_new"]
    consent_ref: Reference


class DemandBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The demand for payment on record: when it reached the debtor, the days it gave, the amount and where the proof is."""

    demanded_on: BusinessDate
    period_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)]
    amount_fen: PositiveFen
    proof_ref: Reference


class AccelerationBody(AmendmentBody, tag="acceleration"):
    """All that is to come is asked for at once."""

    demand: DemandBody
    clause: Clause = ""


class TerminationBody(AmendmentBody, tag="termination"):
    """The agreement ends for default. ``recovered_value_fen`` is what the recovered thing is worth by the valuation."""

    demand: DemandBody
    clause: Clause = ""
    recovered_value_fen: AnyFen | None = None
    valuation_ref: Clause = ""
    costs_fen: AnyFen = 0
    residual_fen: AnyFen = 0
    evidence_ref: EvidenceRef | None = None


class RecoveredValueBody(AmendmentBody, tag="recovered_value"):
    """What the thing of a terminated finance lease is worth became known: agreed or appraised (``valuation``), or what its sale brought less
    the costs and taxes of it (``sale``, money at the bank). ``value_ref`` is the agreement, the appraisal or the bank's reference."""

    value_fen: PositiveFen
    basis: Literal["valuation", "sale"]
    value_ref: Reference


AnyAmendment = (
    PrepaymentBody
    | PayoffBody
    | RateChangeBody
    | ReAmortiseBody
    | ExtensionBody
    | MoratoriumBody
    | RestructureBody
    | ReAgeBody
    | RenewalBody
    | BuyoutBody
    | TransferBody
    | AccelerationBody
    | TerminationBody
    | RecoveredValueBody
)


class NewLeg(msgspec.Struct, kw_only=True):
    """A leg that an amendment brings."""

    number: int
    role: str
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    amount_fen: int


class NewCharge(msgspec.Struct, kw_only=True):
    """A charge that an amendment brings."""

    kind: str
    amount_fen: int


class AmendmentPreview(msgspec.Struct, kw_only=True):
    """What a change does. ``due_now_fen`` is the money it needs (``arrears_fen`` of it owed anyway), ``credit_fen`` what becomes the
    customer's, ``rebate_fen`` the interest not asked for any more, ``falls_away_fen`` what legs that fall away asked for.
    ``annual_cost_pct`` is what the rest costs a year. ``schedule_sha256`` is the schedule's fingerprint afterwards."""

    kind: str
    effective_on: BusinessDate
    version: int
    formula: str
    words_zh: str
    words_en: str
    inputs: dict[str, str | int]
    due_now_fen: int
    arrears_fen: int
    credit_fen: int
    rebate_fen: int
    falls_away_fen: int
    accrued_interest_fen: int
    annual_cost_pct: str | None
    surplus_fen: int
    shortfall_fen: int
    new_legs: list[NewLeg]
    new_charges: list[NewCharge]
    position_sha256: str
    schedule_sha256: str


class Amended(AmendmentPreview, kw_only=True):
    """The change as it was made, and what the agreement owes and holds now."""

    id: str
    balance_due_fen: int
    credit_balance_fen: int


class AmendmentView(msgspec.Struct, kw_only=True):
    """A change on record. ``version`` is the schedule's since then; ``request`` is what was asked for."""

    id: str
    kind: str
    version: int
    effective_on: BusinessDate
    formula: str
    words_zh: str
    words_en: str
    inputs: dict[str, str | int]
    request: dict[str, Any]
    reason: str
    made_by: str
    recorded_at: Instant


class AmendmentList(msgspec.Struct, kw_only=True):
    """Changes, newest first."""

    items: list[AmendmentView]
