"""Who gets what of a settlement: partners' shares (dealer, funder), and the rest that stays with the merchant.

Shares are in basis points of the amount settled. Parts are whole fen and, with the rest, make the amount exactly: largest remainder,
ties to the share named first, the rest last. A cap gives back to the rest; a floor takes from it, in the order of the shares, as far as
it goes. The same shares and amount always give the same parts.

A channel may allow less than the whole: Alipay moves at most a proportion of an order to others, agreed with the merchant (30 % where
nothing else is agreed, as integrators report it; not read in Alipay's own contract). That is ``at_most_bp``, a setting of the channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.errors import Invalid
from xinzu.kernel.money import split_fen

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """A partner's part of each settlement: never below the floor nor above the cap, where there is one."""

    partner_id: UUID
    share_bp: int
    floor_fen: int = 0
    cap_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Parts in the order of the shares; the sum of them and of the rest is the amount."""

    parts_fen: tuple[int, ...]
    rest_fen: int


def split_settlement(amount_fen: int, shares: Sequence[Share], *, at_most_bp: int = BASIS_POINTS) -> Split:
    """Split an amount that was settled. ``at_most_bp`` of it goes to partners, floors included.

    Raises ValueError for an amount below zero and Invalid (billing.shares_refused) as ``check_shares`` does.

    >>> from uuid import UUID
    >>> dealer, funder = Share(UUID(int=1), 500, floor_fen=2_000), Share(UUID(int=2), 7_000)
    >>> split_settlement(29_900, [dealer, funder])
    Split(parts_fen=(2000, 20930), rest_fen=6970)
    """
    if amount_fen < 0:
        raise ValueError("a settlement is not below zero: give back with split_back")
    check_shares(shares, at_most_bp=at_most_bp)
    weights = [share.share_bp for share in shares]
    parts = split_fen(amount_fen, [*weights, BASIS_POINTS - sum(weights)])[:-1]
    for n, share in enumerate(shares):
        if share.cap_fen is not None:
            parts[n] = min(parts[n], share.cap_fen)
    # Largest remainder may lift the parts above the channel's limit by less than a fen each: the last ones give way.
    most_fen = amount_fen * at_most_bp // BASIS_POINTS
    for n in range(len(parts) - 1, -1, -1):
        parts[n] -= min(max(sum(parts) - most_fen, 0), parts[n])
    for n, share in enumerate(shares):
        parts[n] += min(max(share.floor_fen - parts[n], 0), most_fen - sum(parts))
    return Split(tuple(parts), amount_fen - sum(parts))


def split_back(refund_fen: int, given: Split) -> Split:
    """Who gives back what of a refund: in proportion to what each was given, never more than that.

    Raises ValueError for a refund below zero or above what was split.

    >>> split_back(10_000, Split((2_000, 20_930), 6_970))
    Split(parts_fen=(669, 7000), rest_fen=2331)
    """
    given_fen = sum(given.parts_fen) + given.rest_fen
    if not 0 <= refund_fen <= given_fen:
        raise ValueError("a refund lies between zero and what was split")
    if refund_fen == 0:
        return Split((0,) * len(given.parts_fen), 0)
    *parts, rest_fen = split_fen(refund_fen, [*given.parts_fen, given.rest_fen])
    return Split(tuple(parts), rest_fen)


def check_shares(shares: Sequence[Share], *, at_most_bp: int = BASIS_POINTS, at: str = "shares") -> None:
    """Raises Invalid naming the share, by its place below ``at``, that cannot be: below zero, a cap below its floor, a partner twice, more
    than the whole together."""
    partners = [share.partner_id for share in shares]
    for n, share in enumerate(shares):
        if share.share_bp < 0 or share.floor_fen < 0:
            raise _refused(f"{at}/{n}", "比例与保底不能为负", "must not have a share or floor below zero")
        if share.cap_fen is not None and share.cap_fen < share.floor_fen:
            raise _refused(f"{at}/{n}/cap_fen", "封顶不能低于保底", "must not be below the floor")
        if share.partner_id in partners[:n]:
            raise _refused(f"{at}/{n}/partner_id", "同一分账方只能列一次", "names a partner twice: add the shares up")
    if sum(share.share_bp for share in shares) > at_most_bp:
        raise _refused(at, f"比例合计不能超过万分之 {at_most_bp}", f"must be at most {at_most_bp} basis points together")


def _refused(pointer: str, zh: str, en: str) -> Invalid:
    return Invalid.field(f"/{pointer}", "billing.shares_refused", f"{pointer}：{zh}", f"{pointer} {en}")
