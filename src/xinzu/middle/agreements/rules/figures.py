"""How amounts and rates are written in a contract."""

from __future__ import annotations

from decimal import Decimal

from xinzu.kernel.money import Money


def percent(rate: Decimal) -> str:
    """A rate as a percentage, exactly and without trailing zeros.

    >>> percent(Decimal("0.0005")), percent(Decimal("0.02")), percent(Decimal("1"))
    ('0.05%', '2%', '100%')
    """
    return f"{(rate * 100).normalize():f}%"


def yuan(amount_fen: int) -> str:
    """An amount with its unit.

    >>> yuan(123_456_789)
    '1,234,567.89 元'
    """
    return f"{figure(amount_fen)} 元"


def figure(amount_fen: int) -> str:
    """An amount in yuan under a heading that names the unit."""
    return str(Money(amount_fen))[1:]
