"""The value added tax inside an amount, whatever is sold or bought (VAT Law of 2024, arts. 7 and 16: the tax is on top of the price)."""

from __future__ import annotations

VAT_FEN_SQL = "(2 * {gross_fen} * {rate_pct} + 100 + {rate_pct}) / (2 * (100 + {rate_pct}))"
"""``vat_fen`` over a bigint and an integer expression, for amounts from zero up."""


def vat_fen(gross_fen: int, rate_pct: int) -> int:
    """The VAT inside an amount that includes it, half up; the net is the rest, so that the two always make the whole.

    What is given back is the mirror image of what was charged. In sets: ``VAT_FEN_SQL``. Raises ValueError for a rate below zero.

    >>> vat_fen(11300, 13), vat_fen(29900, 13), vat_fen(10600, 6), vat_fen(-29900, 13), vat_fen(5, 0)
    (1300, 3440, 600, -3440, 0)
    """
    if rate_pct < 0:
        raise ValueError("a rate is not below zero")
    whole = 100 + rate_pct
    tax_fen = (2 * abs(gross_fen) * rate_pct + whole) // (2 * whole)
    return -tax_fen if gross_fen < 0 else tax_fen
