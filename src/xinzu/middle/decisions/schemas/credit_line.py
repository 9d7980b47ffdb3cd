"""Credit lines as they go over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import CreditLine
from xinzu.middle.decisions.schemas.decisions import TextView

WORDS: Mapping[str, TextView] = {
    "base": TextView(zh="基础额度", en="What everybody begins with"),
    "settled": TextView(zh="已结清的合同数", en="Agreements settled"),
    "paid": TextView(zh="近 180 天实付金额（分）的一半", en="Half of what was paid in 180 days (fen)"),
    "on_time": TextView(zh="按期付款比例（万分之）达到 95 %", en="Paid on time, in basis points: 95 % or more"),
    "late": TextView(zh="近 365 天逾期期数", en="Instalments overdue in 365 days"),
    "long_arrears": TextView(zh="曾逾期超过 30 天（最长天数）", en="Once more than 30 days past due (the most days)"),
    "failed_collections": TextView(
        zh="近 90 天扣款失败比例（万分之）达到 30 %", en="Collections failed in 90 days, in basis points: 30 % or more"
    ),
    "restricted": TextView(zh="近 365 天设备受限次数", en="Devices restricted in 365 days"),
    "damage": TextView(zh="近 365 天定损金额（分）", en="Damage found in 365 days (fen)"),
    "telemetry": TextView(zh="在租设备最近上报距今天数", en="Days since the device in use was heard of"),
    "written_off": TextView(zh="曾有核销，额度归零", en="Something was written off: no line"),
    "defaulted": TextView(zh="曾逾期超过 90 天，额度归零", en="Once more than 90 days past due: no line"),
    "least": TextView(zh="额度不低于零", en="A line is not below nothing"),
    "most": TextView(zh="达到最高额度", en="The highest line there is"),
    "running": TextView(
        zh="在履行的合同不受影响，额度不低于现有余额（分）", en="What runs is kept: not below what is held (fen)"
    ),
}


class ContributionView(msgspec.Struct, kw_only=True):
    """One part of a line: by how much it goes up or down, in which words, and the number it is from."""

    code: str
    fen: int
    value: int | None
    text: TextView


class CreditLineView(msgspec.Struct, kw_only=True):
    """Up to how much a party may hold in all, for agreements to come; ``contributions`` add up to ``line_fen``. Nothing is available while the
    party is in arrears; ``is_frozen``: it was when the line was computed, and the line stayed what it was."""

    party_id: str
    line_fen: int
    exposure_fen: int
    available_fen: int
    is_frozen: bool
    computed_at: Instant
    contributions: list[ContributionView]


def credit_line_view(
    party_id: UUID, line: CreditLine, available_fen: int, exposure_fen: int, computed_at: Instant
) -> CreditLineView:
    return CreditLineView(
        party_id=public_id(Prefix.PARTY, party_id),
        line_fen=line.line_fen,
        exposure_fen=exposure_fen,
        available_fen=available_fen,
        is_frozen=line.is_frozen,
        computed_at=computed_at,
        contributions=[
            ContributionView(code=part.code, fen=part.fen, value=part.value, text=WORDS[part.code]) for part in line.contributions
        ],
    )
