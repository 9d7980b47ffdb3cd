"""Ageing, risk classes, the risk policy and the classification of leases, as they go over HTTP. Amounts are fen and include VAT."""

from __future__ import annotations

from typing import Annotated

import msgspec

from xinzu.kernel.time import BusinessDate


class BucketAmount(msgspec.Struct, kw_only=True):
    """What an agreement owes in one bucket."""

    bucket: str
    amount_fen: int


class AgedAgreement(msgspec.Struct, kw_only=True):
    """What an agreement owes, by bucket. ``days_past_due`` counts from the due date of its oldest open item; ``asset_class`` is of the last
    close."""

    agreement_id: str
    agreement_no: str
    party_id: str
    family: str
    asset_class: str
    oldest_due_on: BusinessDate
    days_past_due: int
    open_fen: int
    buckets: list[BucketAmount]


class AgedAgreementPage(msgspec.Struct, kw_only=True):
    """Agreements behind a bucket, by id."""

    items: list[AgedAgreement]
    next_cursor: str | None


DaysPastDue = Annotated[int, msgspec.Meta(ge=0, le=3_650, description="More days past due than this")]
BasisPoints = Annotated[int, msgspec.Meta(ge=0, le=10_000, description="Basis points of what is owed")]


class ProvisionRates(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is set aside of what is owed, by risk class."""

    normal: BasisPoints
    attention: BasisPoints
    substandard: BasisPoints
    doubtful: BasisPoints
    loss: BasisPoints


class RiskPolicyBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tenant's risk policy. Never looser than the measures: at most 7, 90, 270 and 360 days, accrual stopped after at most 90, and at
    least 100, 200, 2500, 5000 and 10000 basis points."""

    attention_days: DaysPastDue
    substandard_days: DaysPastDue
    doubtful_days: DaysPastDue
    loss_days: DaysPastDue
    non_accrual_days: DaysPastDue = 90
    by_class: ProvisionRates


class LeaseTestView(msgspec.Struct, kw_only=True):
    """One question of CAS 21 art. 36, its figures and its answer."""

    code: str
    article: str
    holds: bool
    figures: dict[str, str | int | bool]
    words_zh: str
    words_en: str


class LeaseClassView(msgspec.Struct, kw_only=True):
    """How a lease was classified at its inception and why. ``booked_as`` is what the books show; ``differs`` when the rule says otherwise:
    an accountant must look. ``needs_judgement`` when only signs speak for a finance lease. A loan is no lease."""

    lease_class: str
    booked_as: str
    differs: bool
    needs_judgement: bool
    supply: str
    tests: list[LeaseTestView]
