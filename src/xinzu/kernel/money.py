"""Money is integer fen. Yuan exists only at a provider's edge (``to_yuan``/``from_yuan``) and in formatting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    localcontext,
)
from enum import StrEnum
from typing import Self

_YUAN = re.compile(r"^-?\d{1,15}(\.\d{1,2})?$")


class Rounding(StrEnum):
    """How a fraction of a fen is settled; named at every call, never implied."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    UP = "up"
    DOWN = "down"


DECIMAL_ROUNDING = {
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.UP: ROUND_UP,
    Rounding.DOWN: ROUND_DOWN,
}


def round_fen(amount: Decimal, rounding: Rounding) -> int:
    """Settle a Decimal amount of fen to whole fen.

    >>> round_fen(Decimal("2.5"), Rounding.HALF_EVEN), round_fen(Decimal("2.5"), Rounding.HALF_UP)
    (2, 3)
    """
    # 19 integer digits plus a fraction do not fit the default 28-digit context once a rate with many digits is applied.
    with localcontext(prec=60):
        return int(amount.quantize(Decimal(1), rounding=DECIMAL_ROUNDING[rounding]))


def split_fen(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights so that the parts sum to the whole (largest remainder; ties go to the earlier part).

    Raises ValueError when there are no weights, one is negative, or all are zero.

    >>> split_fen(100, [1, 1, 1])
    [34, 33, 33]
    >>> split_fen(-100, [1, 1, 1])
    [-34, -33, -33]
    """
    if not weights or min(weights) < 0 or sum(weights) == 0:
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if total_fen < 0 else 1
    whole, weight_sum = abs(total_fen), sum(weights)
    parts = [whole * weight // weight_sum for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % weight_sum), i))
    for i in by_remainder[: whole - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


def to_yuan(amount_fen: int) -> str:
    """Fen as a provider's decimal yuan string.

    >>> to_yuan(123456), to_yuan(-5)
    ('1234.56', '-0.05')
    """
    sign = "-" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{yuan}.{fen:02d}"


def from_yuan(text: str) -> int:
    """A provider's decimal yuan string as fen; raises ValueError on anything but at most two decimals.

    >>> from_yuan("1234.5"), from_yuan("-0.05")
    (123450, -5)
    """
    if not _YUAN.match(text):
        raise ValueError(f"not an amount in yuan with at most two decimals: {text[:32]!r}")
    negative = text.startswith("-")
    yuan, _, fraction = text.lstrip("-").partition(".")
    amount_fen = int(yuan) * 100 + int(fraction.ljust(2, "0") or 0)
    return -amount_fen if negative else amount_fen


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of one currency in its smallest unit (fen). No division, no float: use ``times`` and ``split``."""

    fen: int
    currency: str = "CNY"

    def __post_init__(self) -> None:
        if type(self.fen) is not int:
            raise TypeError(f"fen must be int, not {type(self.fen).__name__}")

    def _same(self, other: Money) -> None:
        if not isinstance(other, Money):
            raise TypeError(f"expected Money, got {type(other).__name__}")
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")

    def __add__(self, other: Money) -> Self:
        self._same(other)
        return type(self)(self.fen + other.fen, self.currency)

    def __sub__(self, other: Money) -> Self:
        self._same(other)
        return type(self)(self.fen - other.fen, self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.fen, self.currency)

    def times(self, rate: Decimal | int, rounding: Rounding) -> Self:
        """The amount times an unrounded rate, settled to whole fen by the named rounding."""
        if isinstance(rate, bool) or not isinstance(rate, Decimal | int):
            raise TypeError("rate must be Decimal or int")
        with localcontext(prec=60):
            return type(self)(round_fen(self.fen * Decimal(rate), rounding), self.currency)

    def split(self, weights: Sequence[int]) -> list[Self]:
        """Parts in proportion to the weights whose sum is the whole."""
        return [type(self)(part, self.currency) for part in split_fen(self.fen, weights)]

    def __str__(self) -> str:
        sign = "-" if self.fen < 0 else ""
        yuan, fen = divmod(abs(self.fen), 100)
        symbol = "¥" if self.currency == "CNY" else f"{self.currency} "
        return f"{sign}{symbol}{yuan:,}.{fen:02d}"
