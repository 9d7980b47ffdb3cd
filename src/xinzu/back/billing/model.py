"""The nouns of billing as values. Amounts are whole fen and include VAT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate

RECEIPT_SOURCE_PAYMENTS = "payments"


class AccountState(StrEnum):
    """Open: rents run. Settling: the device is back, or a financing is repaid, and the final balance stands. Settled: nothing is owed either way."""

    OPEN = "open"
    SETTLING = "settling"
    SETTLED = "settled"


ACCOUNT_MOVES = Transitions(
    "账户 (account)",
    {
        AccountState.OPEN: {AccountState.SETTLING},
        AccountState.SETTLING: {AccountState.SETTLED},
        AccountState.SETTLED: set(),
    },
)


class AssetClass(StrEnum):
    """How likely what is owed comes in 五级分类 (rules on classifying financial assets' risk, 2023, art. 7)."""

    NORMAL = "normal"
    ATTENTION = "attention"
    SUBSTANDARD = "substandard"
    DOUBTFUL = "doubtful"
    LOSS = "loss"


class AdjustmentKind(StrEnum):
    """What can be done to items and receipts, by hand or (correction) because money came in before it was recorded."""

    WAIVER = "waiver"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"
    REVERSAL = "reversal"
    CHARGEBACK = "chargeback"
    CORRECTION = "correction"


class InstalmentState(StrEnum):
    """Overdue begins at the first close past the grace days. Paid and cancelled have nothing open: what was let off counts as paid, and
    cancelled is what fell away as if it had never been agreed."""

    SCHEDULED = "scheduled"
    DUE = "due"
    OVERDUE = "overdue"
    PAID = "paid"
    CANCELLED = "cancelled"


INSTALMENT_MOVES = Transitions(
    "租金期次 (instalment)",
    {
        InstalmentState.SCHEDULED: {InstalmentState.DUE, InstalmentState.CANCELLED},
        InstalmentState.DUE: {InstalmentState.OVERDUE, InstalmentState.PAID, InstalmentState.CANCELLED},
        InstalmentState.OVERDUE: {InstalmentState.PAID, InstalmentState.CANCELLED},
        # A period that had not begun at the return is cancelled even when it was paid: the money becomes credit balance. Money that did not
        # come in after all makes it due again.
        InstalmentState.PAID: {InstalmentState.CANCELLED, InstalmentState.DUE},
        InstalmentState.CANCELLED: set(),
    },
)


class ItemKind(StrEnum):
    """What can be owed: the legs of instalments, and charges."""

    LATE_FEE = "late_fee"
    DAMAGE = "damage"
    EARLY_RETURN = "early_return"
    PREPAYMENT_FEE = "prepayment_fee"
    BUYOUT = "buyout"
    TERMINATION_LOSS = "termination_loss"
    RENT = "rent"
    PRINCIPAL = "principal"
    INTEREST = "interest"
    FEE = "fee"


class Role(StrEnum):
    """What a leg of an instalment is for. A residual value is principal: it is due with the last instalment."""

    RENT = ItemKind.RENT.value
    PRINCIPAL = ItemKind.PRINCIPAL.value
    INTEREST = ItemKind.INTEREST.value
    FEE = ItemKind.FEE.value


_LEG_KINDS = frozenset(role.value for role in Role)


class ShareBasis(StrEnum):
    """What a partner has a share in: rents, interest, or what is paid for the thing at the end (its residual value, the buy-out price)."""

    RENT = "rent"
    INTEREST = "interest"
    RESIDUAL = "residual"


class ChargeKind(StrEnum):
    """What can be owed besides instalments."""

    LATE_FEE = ItemKind.LATE_FEE.value
    DAMAGE = ItemKind.DAMAGE.value
    EARLY_RETURN = ItemKind.EARLY_RETURN.value
    PREPAYMENT_FEE = ItemKind.PREPAYMENT_FEE.value
    BUYOUT = ItemKind.BUYOUT.value
    TERMINATION_LOSS = ItemKind.TERMINATION_LOSS.value


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an amount's calculation: over these days (both included) this much was the base. Of interest also the rate in percent
    a year, the share of a year, and what came of it."""

    from_on: BusinessDate
    to_on: BusinessDate
    base_fen: int
    rate_pct: str | None = None
    year_fraction: str | None = None
    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What was taken back of a late fee because money counted from ``received_on`` and was recorded later; the segments stood before."""

    made_on: BusinessDate
    received_on: BusinessDate
    taken_back_fen: int
    segments_before: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class LateFeeDays:
    """The days a late fee is charged for, and what was taken back of it."""

    segments: tuple[Segment, ...]
    corrections: tuple[Correction, ...] = ()

    @property
    def taken_back_fen(self) -> int:
        return sum(each.taken_back_fen for each in self.corrections)


@dataclass(frozen=True, slots=True)
class Why:
    """How an amount came to be: the formula by name and in words, its inputs, and its segments in time."""

    formula: str
    words_zh: str
    words_en: str
    inputs: Mapping[str, str | int] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Leg:
    """One amount of one row of one version of the schedule, as planned or as it stands. It is for the days ``from_on`` to ``to_on``, both
    included; what is open of it is the amount less what was paid and what was cancelled. ``suspended_fen`` of what is open is interest that
    is claimed and not income, ``suspended_vat_fen`` the VAT in it that is not payable yet (``rules.suspension``)."""

    number: int
    role: Role
    from_on: BusinessDate
    to_on: BusinessDate
    due_on: BusinessDate
    amount_fen: int
    version: int = 1
    paid_fen: int = 0
    cancelled_fen: int = 0
    earned_fen: int = 0
    state: InstalmentState = InstalmentState.SCHEDULED
    suspended_fen: int = 0
    suspended_vat_fen: int = 0

    @property
    def ref(self) -> str:
        """What names a leg within its agreement."""
        return f"{self.version}/{self.number}/{self.role.value}"

    @property
    def open_fen(self) -> int:
        return self.amount_fen - self.paid_fen - self.cancelled_fen

    @property
    def standing_fen(self) -> int:
        """What the leg asks for, paid or not."""
        return self.amount_fen - self.cancelled_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment(Leg):
    """A leg of an agreement that is billed."""

    id: UUID
    agreement_id: UUID


@dataclass(frozen=True, slots=True)
class Suspended:
    """How much of a leg's interest was and is claimed without being income, and how much of its VAT was and is not payable yet."""

    leg_id: UUID
    agreement_id: UUID
    family: Family
    before_fen: int
    after_fen: int
    vat_before_fen: int = 0
    vat_after_fen: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge as it stands. ``fen_days`` (outstanding times days so far) is of late fees only."""

    id: UUID
    agreement_id: UUID
    kind: ChargeKind
    instalment_id: UUID | None
    due_on: BusinessDate
    amount_fen: int
    paid_fen: int
    cancelled_fen: int
    fen_days: int
    why: Mapping[str, object]


class OpenItem(NamedTuple):
    """Something owed and not fully paid. ``id`` is the leg's or the charge's. A tuple, as are the next two: money that comes in makes very
    many."""

    id: UUID
    kind: ItemKind
    due_on: BusinessDate
    open_fen: int
    family: Family = Family.RENTAL

    @property
    def is_leg(self) -> bool:
        """Whether it is a leg of an instalment and not a charge."""
        return self.kind.value in _LEG_KINDS


class Funds(NamedTuple):
    """What is left of a receipt."""

    receipt_id: UUID
    available_fen: int


class Allocation(NamedTuple):
    """Part of a receipt set against an item."""

    receipt_id: UUID
    item: OpenItem
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Arrears:
    """How late an agreement is: the days of its oldest overdue item, and all that must be paid to be current again."""

    days_past_due: int
    overdue_fen: int


@dataclass(frozen=True, slots=True)
class SettlementCharge:
    """A charge that the return brings, with its reason."""

    kind: ChargeKind
    amount_fen: int
    why: Why


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a return does to an account: instalments that fall away (by number), charges and rents that come."""

    cancelled_numbers: tuple[int, ...]
    charges: tuple[SettlementCharge, ...]
    rents: tuple[Leg, ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """An amount to be moved in the ledger, from the credit account to the debit account."""

    debit_account: str
    credit_account: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ChartLine:
    """An account that billing books on. ``type`` and ``normal_side`` are the ledger's words."""

    code: str
    name_zh: str
    name_en: str
    type: str
    normal_side: str
