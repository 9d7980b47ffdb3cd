"""What a score source must be able to say, by capability, and how it is asked. Whoever says it differently is translated in its own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

import msgspec

from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import Capability, Value
from xinzu.platform.providers import ProviderResult

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ZhimaAdmittance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether the person's Zhima score reaches ``admittance_score``; None when Zhima cannot say. The score itself is not given."""

    is_admittance: bool | None
    admittance_score: Annotated[int, msgspec.Meta(ge=350, le=950)]


class PayscoreAdmittance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether WeChat Pay Score would let the person rent without a deposit."""

    wx_payscore_admit: bool


class MultiLending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many institutions the person has asked for credit lately, and how many report arrears."""

    ml_apply_org_7d: Count
    ml_apply_org_30d: Count
    ml_apply_org_90d: Count
    ml_apply_org_180d: Count
    ml_apply_cnt_7d: Count
    ml_apply_cnt_30d: Count
    ml_apply_cnt_90d: Count
    ml_nonbank_ratio_30d: Fraction | None
    ml_loan_org_90d: Count
    ml_overdue_org_180d: Count


class CourtLists(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Records in the courts' public lists: 失信被执行人, 被执行人, 限制高消费, 终本案件."""

    court_dishonest_cnt: Count
    court_enforced_cnt: Count
    court_enforced_fen: Annotated[int, msgspec.Meta(ge=0)]
    court_restricted_cnt: Count
    court_terminated_cnt: Count


class CarrierFactors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether name, number and phone belong together at the carrier, how long the phone is in use, and whether it still is."""

    carrier_three_factor_match: Literal["match", "mismatch", "no_record"]
    phone_tenure_months: Count | None
    phone_status: Literal["in_use", "suspended", "cancelled", "unknown"]


class BankFactors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether name, number, phone and bank card belong together at the bank."""

    bankcard_four_factor_match: Literal["match", "mismatch", "no_record"]


ANSWERS: Mapping[Capability, type[msgspec.Struct]] = {
    Capability.ZHIMA_ADMITTANCE: ZhimaAdmittance,
    Capability.PAYSCORE_ADMITTANCE: PayscoreAdmittance,
    Capability.MULTI_LENDING: MultiLending,
    Capability.COURT_LISTS: CourtLists,
    Capability.CARRIER_FACTORS: CarrierFactors,
    Capability.BANK_FACTORS: BankFactors,
}

# Which personal values each question needs; nothing else is sent (PIPL art. 6).
NEEDED: Mapping[Capability, tuple[str, ...]] = {
    Capability.ZHIMA_ADMITTANCE: ("name", "identity_no"),
    Capability.PAYSCORE_ADMITTANCE: ("name", "identity_no", "phone"),
    Capability.MULTI_LENDING: ("name", "identity_no", "phone"),
    Capability.COURT_LISTS: ("name", "identity_no"),
    Capability.CARRIER_FACTORS: ("name", "identity_no", "phone"),
    Capability.BANK_FACTORS: ("name", "identity_no", "phone", "bank_card"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one person, by business time. The same ``reference`` again is the same question: the first answer comes again."""

    reference: str
    capability: Capability
    asked_at: Instant
    person: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """What a source said, its own number for it, and when it says it looked (None: when it answered)."""

    values: Mapping[str, Value] = field(repr=False)
    reference: str | None
    observed_at: Instant | None


class ScoreSource(Protocol):
    """Says one capability's answer about a person. Failed is a signed refusal, Unknown everything that is no signed answer."""

    async def ask(self, question: Question) -> ProviderResult[Said]: ...


def values_of(capability: Capability, raw: object) -> dict[str, Value]:
    """An answer checked against its capability's form; raises msgspec.ValidationError naming the member."""
    return dict(msgspec.structs.asdict(msgspec.convert(raw, ANSWERS[capability], strict=True)))
