"""The accounting rules in sets say what the rules by hand say, fen for fen."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

from sqlalchemy import text

from xinzu.back.billing.rules.effective_interest import EARNED_FEN_SQL, earned_fen
from xinzu.back.billing.rules.provision import REQUIRED_FEN_SQL, required_fen
from xinzu.back.billing.rules.vat import VAT_FEN_SQL, vat_fen
from xinzu.platform.runtime import Runtime

START = date(2026, 1, 31)
AMOUNTS = (0, 1, 2, 7, 49, 99, 100, 29_900, 119_999, 10**12 - 1)


async def test_earned_in_sets(runtime: Runtime) -> None:
    lengths, elapsed = (-1, 0, 1, 6, 27, 30, 364, 1_095), (-2, -1, 0, 1, 5, 15, 29, 30, 200, 364, 1_094, 1_096)
    cases = [
        (leg, START, START + timedelta(days=days), START + timedelta(days=on))
        for leg, days, on in product(AMOUNTS, lengths, elapsed)
    ]
    expression = EARNED_FEN_SQL.format(leg_fen="r.leg", from_on="r.from_on", to_on="r.to_on", on="r.at")
    legs, froms, tos, ats = (list(column) for column in zip(*cases, strict=True))
    rows = "cast(:legs AS bigint[]), cast(:froms AS date[]), cast(:tos AS date[]), cast(:ats AS date[])"
    async with runtime.database.engine.connect() as connection:
        found = await connection.execute(
            text(f"SELECT {expression} FROM unnest({rows}) WITH ORDINALITY AS r(leg, from_on, to_on, at, n) ORDER BY r.n"),
            {"legs": legs, "froms": froms, "tos": tos, "ats": ats},
        )
        assert [row[0] for row in found] == [earned_fen(*case) for case in cases]


async def test_vat_and_provisions_in_sets(runtime: Runtime) -> None:
    cases = list(product((*AMOUNTS, *range(200)), (0, 6, 13), (0, 1, 100, 2_500, 10_000)))
    amounts, rates, points = (list(column) for column in zip(*cases, strict=True))
    taxed = VAT_FEN_SQL.format(gross_fen="r.amount", rate_pct="r.rate")
    provided = REQUIRED_FEN_SQL.format(exposure_fen="r.amount", rate_bp="r.points")
    async with runtime.database.engine.connect() as connection:
        found = await connection.execute(
            text(
                f"SELECT {taxed}, {provided} FROM unnest(cast(:amounts AS bigint[]), cast(:rates AS int[]), cast(:points AS int[]))"
                " WITH ORDINALITY AS r(amount, rate, points, n) ORDER BY r.n"
            ),
            {"amounts": amounts, "rates": rates, "points": points},
        )
        assert [tuple(row) for row in found] == [(vat_fen(amount, rate), required_fen(amount, bp)) for amount, rate, bp in cases]
