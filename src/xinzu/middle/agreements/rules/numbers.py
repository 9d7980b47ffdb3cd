"""Agreement numbers: gapless per tenant and calendar year of the business date."""

from __future__ import annotations


def agreement_no(year: int, number: int) -> str:
    """The number people use.

    >>> agreement_no(2026, 1), agreement_no(2026, 1234567)
    ('XZ2026-000001', 'XZ2026-1234567')
    """
    return f"XZ{year}-{number:06d}"
