"""The credit line of a party: up to how much it may hold in all, from how it paid, how it used what it had, and what the assets say.

Every part has a code, its fen and the number it is from; the parts add up to the line. It is for agreements to come: what runs keeps what was
agreed, so a line is never below what the party holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xinzu.middle.decisions.model import Contribution, CreditLine

LINE_MAX_FEN = 5_000_000
BASE_FEN = 500_000
SETTLED_FEN, SETTLED_MAX = 100_000, 8
PAID_SHARE_PCT, PAID_MAX_FEN = 50, 1_000_000
ON_TIME_BP, ON_TIME_FEN = 9_500, 200_000
LATE_FEN, LATE_MAX = -50_000, 8
FAILED_BP, FAILED_FEN = 3_000, -100_000
# From so many days past due on (the industry's M1 and M3) there is less, or nothing.
LONG_ARREARS_DAYS, LONG_ARREARS_FEN = 31, -300_000
RESTRICTED_FEN, RESTRICTED_MAX = -100_000, 3
DAMAGE_MAX_FEN = 500_000
SILENT_DAYS, SILENT_FEN, HEARD_FEN = 14, -200_000, 50_000
NOTHING_DAYS = 91


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a credit line is made of. Counts and sums are of the party; shares in basis points, None when there was nothing to share;
    ``silent_days``: for how long the device of a running agreement was not heard of, None without a device."""

    exposure_fen: int = 0
    is_in_arrears: bool = False
    settled_count: int = 0
    paid_180d_fen: int = 0
    on_time_bp: int | None = None
    late_count_365d: int = 0
    days_past_due_max: int = 0
    failed_90d_bp: int | None = None
    write_off_count: int = 0
    restricted_count_365d: int = 0
    damage_365d_fen: int = 0
    silent_days: int | None = None


def credit_line(behaviour: Behaviour, before: CreditLine | None) -> CreditLine:
    """The line after what is known now. Frozen while in arrears: then it stays what it was, and without an earlier one it is what the party
    holds. Amounts in fen.

    >>> line = credit_line(Behaviour(settled_count=2, paid_180d_fen=400_000, on_time_bp=10_000), None)
    >>> line.line_fen, [(each.code, each.fen) for each in line.contributions]
    (1100000, [('base', 500000), ('settled', 200000), ('paid', 200000), ('on_time', 200000)])
    """
    if behaviour.is_in_arrears:
        if before is not None:
            return CreditLine(before.line_fen, is_frozen=True, contributions=before.contributions)
        held = Contribution("running", behaviour.exposure_fen, behaviour.exposure_fen)
        return CreditLine(behaviour.exposure_fen, is_frozen=True, contributions=[held] if held.fen else [])
    parts = [part for part in _parts(behaviour) if part.fen]
    parts += _bounds(parts, behaviour)
    return CreditLine(sum(part.fen for part in parts), is_frozen=False, contributions=parts)


def available_fen(line: CreditLine, exposure_fen: int) -> int:
    """What is left of the line for an agreement to come; nothing while it is frozen."""
    return 0 if line.is_frozen else max(0, line.line_fen - exposure_fen)


def _parts(seen: Behaviour) -> Sequence[Contribution]:
    late = min(seen.late_count_365d, LATE_MAX)
    return [
        Contribution("base", BASE_FEN, None),
        Contribution("settled", SETTLED_FEN * min(seen.settled_count, SETTLED_MAX), seen.settled_count),
        Contribution("paid", min(seen.paid_180d_fen * PAID_SHARE_PCT // 100, PAID_MAX_FEN), seen.paid_180d_fen),
        Contribution(
            "on_time", ON_TIME_FEN if seen.on_time_bp is not None and seen.on_time_bp >= ON_TIME_BP else 0, seen.on_time_bp
        ),
        Contribution("late", LATE_FEN * late, seen.late_count_365d),
        Contribution(
            "long_arrears", LONG_ARREARS_FEN if seen.days_past_due_max >= LONG_ARREARS_DAYS else 0, seen.days_past_due_max
        ),
        Contribution(
            "failed_collections",
            FAILED_FEN if seen.failed_90d_bp is not None and seen.failed_90d_bp >= FAILED_BP else 0,
            seen.failed_90d_bp,
        ),
        Contribution("restricted", RESTRICTED_FEN * min(seen.restricted_count_365d, RESTRICTED_MAX), seen.restricted_count_365d),
        Contribution("damage", -min(seen.damage_365d_fen, DAMAGE_MAX_FEN), seen.damage_365d_fen),
        Contribution("telemetry", _telemetry_fen(seen.silent_days), seen.silent_days),
    ]


def _telemetry_fen(silent_days: int | None) -> int:
    """A device nobody hears of is a risk to the thing itself; one that reports is none."""
    if silent_days is None:
        return 0
    return SILENT_FEN if silent_days >= SILENT_DAYS else HEARD_FEN


def _bounds(parts: Sequence[Contribution], seen: Behaviour) -> list[Contribution]:
    """What brings the sum within its bounds, each said as a part of its own."""
    bounds = []
    total = sum(part.fen for part in parts)

    def move(code: str, to_fen: int, value: int | None) -> None:
        nonlocal total
        if to_fen != total:
            bounds.append(Contribution(code, to_fen - total, value))
            total = to_fen

    if seen.write_off_count:
        move("written_off", min(total, 0), seen.write_off_count)
    elif seen.days_past_due_max >= NOTHING_DAYS:
        move("defaulted", min(total, 0), seen.days_past_due_max)
    move("least", max(total, 0), None)
    move("most", min(total, LINE_MAX_FEN), None)
    move("running", max(total, seen.exposure_fen), seen.exposure_fen)
    return bounds
