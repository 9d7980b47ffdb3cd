"""However money comes and goes, partners are owed what stands received, to the fen, and together never more than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.back.billing.model import ItemKind, ShareBasis
from xinzu.back.billing.rules.partner_shares import AgreedShare, Received, moved, shares_of

ON = date(2026, 3, 1)
ITEM = UUID(int=99)


@st.composite
def agreed(draw: st.DrawFn) -> list[AgreedShare]:
    """Up to four partners: percents that leave the merchant something or nothing, fixed amounts, floors and caps."""
    shares, left_bp = [], 10_000
    for n in range(draw(st.integers(1, 4))):
        if draw(st.booleans()) and left_bp:
            share_bp = draw(st.integers(1, left_bp))
            left_bp -= share_bp
            floor_fen = draw(st.integers(0, 5_000))
            cap_fen = draw(st.none() | st.integers(floor_fen, 50_000))
            shares.append(AgreedShare(UUID(int=n), UUID(int=50 + n), ShareBasis.RENT, share_bp, 0, floor_fen, cap_fen, ON))
        else:
            fixed_fen = draw(st.integers(1, 40_000))
            shares.append(AgreedShare(UUID(int=n), UUID(int=50 + n), ShareBasis.RENT, 0, fixed_fen, 0, None, ON))
    return shares


@given(agreed(), st.integers(1, 100_000), st.data())
def test_what_is_owed_follows_what_stands_received(shares: list[AgreedShare], asked_fen: int, data: st.DataObject) -> None:
    stands: dict[tuple[UUID, UUID], int] = {}
    received_fen = 0
    for received_fen in data.draw(st.lists(st.integers(0, asked_fen), min_size=1, max_size=8)):
        item = Received(ITEM, ItemKind.RENT, ON, asked_fen, received_fen)
        for share, _, fen in moved([item], shares, stands):
            stands[share.id, ITEM] = stands.get((share.id, ITEM), 0) + fen
        assert moved([item], shares, stands) == [], "asked again, nothing moves"
        assert min(stands.values(), default=0) >= 0
        assert sum(stands.values()) <= received_fen
    at_once = {share.id: fen for share, fen in shares_of(Received(ITEM, ItemKind.RENT, ON, asked_fen, received_fen), shares)}
    assert {share_id: fen for (share_id, _), fen in stands.items() if fen} == {key: fen for key, fen in at_once.items() if fen}


@given(agreed(), st.integers(1, 100_000))
def test_a_share_that_has_ended_gives_back_what_it_had(shares: list[AgreedShare], received_fen: int) -> None:
    item = Received(ITEM, ItemKind.RENT, ON, received_fen, received_fen)
    stands = {(share.id, ITEM): fen for share, fen in shares_of(item, shares) if fen}
    ended = [replace(share, to_on=ON) for share in shares]
    assert {share.id: fen for share, _, fen in moved([item], ended, stands)} == {key: -fen for (key, _), fen in stands.items()}
