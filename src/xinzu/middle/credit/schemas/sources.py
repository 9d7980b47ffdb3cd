"""Score sources, questions and results as they go over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.middle.credit.model import Capability, ScoreResult, SourceStyle, Value

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_-]*$(?!\n)")]


class SourceBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A tenant's line for a source. ``rank`` is its turn, ``timeout_ms`` how long it is waited for, ``cache_days`` how long its word is
    reused (0: never). ``secret`` is the shared secret, or for Alipay's gateway the app's private key, and ``peer_key`` Alipay's public key.
    """

    capability: Capability
    provider: Name
    style: SourceStyle
    is_enabled: bool
    rank: Annotated[int, msgspec.Meta(ge=1, le=100)]
    base_url: Annotated[str, msgspec.Meta(min_length=8, max_length=300)]
    account_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    secret: Annotated[str, msgspec.Meta(min_length=8, max_length=8_000)]
    peer_key: Annotated[str, msgspec.Meta(max_length=8_000)] | None = None
    timeout_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 3_000
    cache_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0
    cost_fen: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    admittance_score: Annotated[int, msgspec.Meta(ge=350, le=950)] | None = None
    product_code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None


class ScoreBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A question about a person. ``bank_card`` for bank factors only."""

    party_id: Annotated[str, msgspec.Meta(max_length=64)]
    capability: Capability
    bank_card: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class ResultView(msgspec.Struct, kw_only=True):
    """What a source said, and where from."""

    query_id: str
    capability: str
    provider: str
    outcome: str
    reason: str | None
    reference: str | None
    observed_at: Instant
    known_at: Instant
    latency_ms: int
    is_cached: bool
    cost_fen: int
    values: Mapping[str, Value]


class ResultPage(msgspec.Struct, kw_only=True):
    """Results, last first."""

    items: list[ResultView]
    next_cursor: str | None


def result_view(result: ScoreResult) -> ResultView:
    return ResultView(
        query_id=public_id(Prefix.SCORE_QUERY, result.query_id),
        capability=str(result.capability),
        provider=result.provider,
        outcome=str(result.outcome),
        reason=result.reason,
        reference=result.reference,
        observed_at=result.observed_at,
        known_at=result.known_at,
        latency_ms=result.latency_ms,
        is_cached=result.is_cached,
        cost_fen=result.cost_fen,
        values=result.values,
    )
