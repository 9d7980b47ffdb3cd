"""What must be set aside for losses on what customers owe.

Lease receivables may be provided for at the loss expected over their whole life, by a matrix of rates instead of a model (CAS 22 art. 63,
simplified approach). Rates hang on the risk class or on the days past due. They are the tenant's estimate from its own losses, with a
floor that stands: 1, 2, 25, 50 and 100 % of the five classes (PBOC guidelines on loan loss provisions, Yinfa [2002] 98: general
reserve of at least 1 %, special reserves; the guidelines let substandard and doubtful vary by a fifth, the floor here does not).

A provision is settled upwards to the fen, in the cautious direction. In sets: ``REQUIRED_FEN_SQL``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.rules.asset_class import MEASURES_2023
from xinzu.kernel.errors import Invalid

BASIS_POINTS = 10_000
FLOOR_BP: Mapping[AssetClass, int] = {
    AssetClass.NORMAL: 100,
    AssetClass.ATTENTION: 200,
    AssetClass.SUBSTANDARD: 2_500,
    AssetClass.DOUBTFUL: 5_000,
    AssetClass.LOSS: 10_000,
}

REQUIRED_FEN_SQL = "({exposure_fen} * {rate_bp} + 9999) / 10000"
"""``required_fen`` over bigint expressions from zero up."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """From so many days past due on, the rate is this."""

    from_days: int
    rate_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionMatrix:
    """Rates by class, and by ageing bucket when there are any; the higher of the two counts. ``provision_matrix`` makes one."""

    name: str
    by_class: Mapping[AssetClass, int]
    buckets: tuple[Bucket, ...] = ()

    def rate_bp(self, asset_class: AssetClass, days_past_due: int) -> int:
        """The rate in basis points for a class and its days past due."""
        return max(self.by_class[asset_class], self._of_days(days_past_due))

    def _of_days(self, days_past_due: int) -> int:
        reached = bisect_right([bucket.from_days for bucket in self.buckets], days_past_due)
        return self.buckets[reached - 1].rate_bp if reached else 0


GUIDELINES_2002 = ProvisionMatrix(name="guidelines_2002", by_class=FLOOR_BP)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What an agreement's customer owes before provision (for a finance lease its net investment and what is due and unpaid), its class,
    and the provision that stands."""

    agreement_id: UUID
    exposure_fen: int
    asset_class: AssetClass
    days_past_due: int
    stands_fen: int


@dataclass(frozen=True, slots=True)
class Provision:
    """What must stand, and by how much what stands changes: above zero an impairment loss, below zero its reversal."""

    agreement_id: UUID
    rate_bp: int
    required_fen: int
    change_fen: int


def provisions_of(exposures: Iterable[Exposure], matrix: ProvisionMatrix = GUIDELINES_2002) -> list[Provision]:
    """The provision of each agreement; what has nothing owed needs none, and what stands for it is released.

    >>> from uuid import UUID
    >>> owed = Exposure(UUID(int=1), 1_000_001, AssetClass.SUBSTANDARD, 95, stands_fen=20_000)
    >>> [(each.required_fen, each.change_fen) for each in provisions_of([owed])]
    [(250001, 230001)]
    """
    provisions = []
    for owed in exposures:
        rate_bp = matrix.rate_bp(owed.asset_class, owed.days_past_due)
        needed_fen = required_fen(owed.exposure_fen, rate_bp)
        provisions.append(Provision(owed.agreement_id, rate_bp, needed_fen, needed_fen - owed.stands_fen))
    return provisions


def required_fen(exposure_fen: int, rate_bp: int) -> int:
    """The provision for an exposure, settled upwards. Raises ValueError for an exposure below zero.

    >>> required_fen(1, 100), required_fen(10_000, 100), required_fen(33_333, 10_000)
    (1, 100, 33333)
    """
    if exposure_fen < 0:
        raise ValueError("what is owed is not below zero")
    return (exposure_fen * rate_bp + BASIS_POINTS - 1) // BASIS_POINTS


def share_pct(part_fen: int, whole_fen: int) -> str | None:
    """A part in percent of the whole with two decimals, half up; None of nothing.

    >>> share_pct(1, 3), share_pct(2, 3), share_pct(5, 0)
    ('33.33', '66.67', None)
    """
    if whole_fen == 0:
        return None
    hundredths = (part_fen * 20_000 + whole_fen) // (2 * whole_fen)
    return f"{hundredths // 100}.{hundredths % 100:02}"


def provision_matrix(name: str, by_class: Mapping[AssetClass, int], buckets: Iterable[Bucket] = ()) -> ProvisionMatrix:
    """A tenant's own rates in basis points. Raises Invalid (billing.provision_matrix_refused) when a class lacks one, a rate is below the
    floor or above the whole, or falls as the class or the days get worse.

    Buckets alone must hold the floor too, because they may be shown alone: at each number of days at least the rate of the class that the
    measures give those days.
    """
    ageing = tuple(buckets)
    rates = [by_class.get(each, 0) for each in AssetClass]
    for each, rate_bp in zip(AssetClass, rates, strict=True):
        if not FLOOR_BP[each] <= rate_bp <= BASIS_POINTS:
            raise _refused(f"by_class/{each.value}", f"{FLOOR_BP[each]} 至 {BASIS_POINTS}", f"{FLOOR_BP[each]} to {BASIS_POINTS}")
    if any(worse < better for better, worse in pairwise(rates)):
        raise _refused("by_class", "不低于较好一类", "not below the better class's")
    own = ProvisionMatrix(name=name, by_class=dict(by_class), buckets=ageing)
    if ageing:
        _check_buckets(own)
    return own


def _check_buckets(own: ProvisionMatrix) -> None:
    starts = [bucket.from_days for bucket in own.buckets]
    if starts[0] != 0 or any(later <= earlier for earlier, later in pairwise(starts)):
        raise _refused("buckets", "自 0 天起按天数递增", "in order of days, the first from 0")
    if any(later.rate_bp < earlier.rate_bp or later.rate_bp > BASIS_POINTS for earlier, later in pairwise(own.buckets)):
        raise _refused("buckets", f"逐档不降且不超过 {BASIS_POINTS}", f"never falling, at most {BASIS_POINTS}")
    # Both are steps: where neither steps, nothing changes.
    for days in sorted({*starts, *(line + 1 for line in MEASURES_2023.lines)}):
        floor_bp = FLOOR_BP[MEASURES_2023.of_days(days)]
        if own._of_days(days) < floor_bp:
            raise _refused("buckets", f"逾期 {days} 天时不低于 {floor_bp}", f"at least {floor_bp} at {days} days past due")


def _refused(pointer: str, zh: str, en: str) -> Invalid:
    return Invalid.field(
        f"/{pointer}",
        "billing.provision_matrix_refused",
        f"{pointer}：计提比例（万分比）须{zh}",
        f"{pointer}: rates in basis points must be {en}",
    )
