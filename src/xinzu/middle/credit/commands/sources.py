"""Score sources: which a tenant has ticked, what they are asked, what they said. The asking itself is done in ``jobs``, between transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import Instant
from xinzu.middle.credit.errors import SourceConsentMissing, SourcesNotConfigured
from xinzu.middle.credit.model import (
    Capability,
    QueryState,
    ScoreOutcome,
    ScoreResult,
    Source,
    SourceStyle,
)
from xinzu.middle.credit.providers.base import NEEDED, Question, Said
from xinzu.middle.credit.store import sources as store
from xinzu.platform.crypto.identifiers import normalize_bank_card
from xinzu.platform.crypto.signing import rsa2_sign, rsa2_verify
from xinzu.platform.providers import Failed, Ok, ProviderResult, Unknown
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

QUERY_JOB = "credit.query_sources"
ATTEMPTS_MAX = 3
ASK_AGAIN_AFTER = timedelta(seconds=30)
REASON_CHARS_MAX = 100
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SourceView(msgspec.Struct, kw_only=True):
    """A tenant's line for a source, without its secret."""

    capability: str
    provider: str
    style: str
    is_enabled: bool
    rank: int
    timeout_ms: int
    cache_days: int
    cost_fen: int
    base_url: str
    account_id: str
    options: Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskScore:
    """A question about a person, for whichever of the tenant's sources has the capability. A bank card for bank factors only."""

    party_id: UUID
    capability: Capability
    bank_card: str | None = field(default=None, repr=False)


class ScoreAsked(msgspec.Struct, kw_only=True):
    """The question is on file; its results come later."""

    id: str
    party_id: str
    capability: str


@dataclass(frozen=True, slots=True)
class Errand:
    """A question on its way out: whom about, and whom to ask in which order. Holds clear values, in memory only."""

    query: store.OpenQuery
    question: Question = field(repr=False)
    sources: Sequence[Source]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one source answered to an errand, and how long that took."""

    source: Source
    result: ProviderResult[Said] = field(repr=False)
    latency_ms: int


async def configure_sources(uow: UnitOfWork, requests: Sequence[Source]) -> list[Outcome[SourceView]]:
    """Tick, order and set the tenant's sources; the same capability and provider again replaces. Refused per item with Invalid."""
    outcomes: list[Outcome[SourceView]] = []
    for source in requests:
        problem = _wrong(source)
        if problem is None:
            await store.put_source(uow, source)
        outcomes.append(problem or view_of(source))
    return outcomes


def view_of(source: Source) -> SourceView:
    """A line as it may be shown."""
    return SourceView(
        capability=str(source.capability),
        provider=source.provider,
        style=str(source.style),
        is_enabled=source.is_enabled,
        rank=source.rank,
        timeout_ms=source.timeout_ms,
        cache_days=source.cache_days,
        cost_fen=source.cost_fen,
        base_url=source.base_url,
        account_id=source.account_id,
        options=source.options,
    )


def _wrong(source: Source) -> Problem | None:
    """Why a line cannot work or would leak; None when it may stand."""
    if not _is_safe(source.base_url):
        return Invalid.field(
            "/base_url",
            "credit.source_not_https",
            "数据源地址须以 https:// 开头（本机演示除外），个人信息不得明文传输",
            "A source's address begins with https:// (loopback apart): personal data is never sent in clear",
        )
    if source.style is not SourceStyle.ALIPAY_GATEWAY:
        return None
    if source.capability is not Capability.ZHIMA_ADMITTANCE:
        return Invalid.field(
            "/style",
            "credit.style_not_for_capability",
            "支付宝网关仅用于芝麻准入，请改用 signed_json",
            "Alipay's gateway is for Zhima's admittance only: use signed_json",
        )
    try:
        signature = rsa2_sign(source.secret, b"probe")
    except ValueError:
        return Invalid.field(
            "/secret",
            "credit.private_key_unreadable",
            "应用私钥无法读取，请粘贴完整的 PEM 文本",
            "The app's private key cannot be read: give the whole PEM text",
        )
    try:
        rsa2_verify(source.peer_key or "", b"probe", signature)
    except ValueError:
        return Invalid.field(
            "/peer_key",
            "credit.peer_key_unreadable",
            "支付宝公钥缺失或无法读取，否则无法验证其答复，请粘贴完整的 PEM 文本",
            "Alipay's public key is missing or cannot be read: without it its answers cannot be believed; give the whole PEM text",
        )
    return None


def _is_safe(base_url: str) -> bool:
    """Whether what is sent there is encrypted, or does not leave this machine."""
    try:
        parts = urlsplit(base_url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
    except ValueError:
        return False


async def ask_scores(uow: UnitOfWork, requests: Sequence[AskScore]) -> list[Outcome[ScoreAsked]]:
    """Write questions down and ask for the job that puts them to the sources; one that is still being asked is not asked twice.

    Refused per item, with nothing written: PartyUnknown, SourceConsentMissing (PIPL arts. 13, 23, 29), SourcesNotConfigured, Invalid for
    a bank card that is missing or malformed.
    """
    party_ids = [request.party_id for request in requests]
    known = await parties.masked_people(uow, party_ids)
    refusing = await parties.parties_without_consent(uow, party_ids, parties.ConsentPurpose.SCORE_QUERY)
    enabled = {source.capability for source in await store.sources(uow) if source.is_enabled}
    outcomes: list[Outcome[ScoreAsked]] = []
    new: list[UUID] = []
    for request in requests:
        try:
            if request.party_id not in known:
                raise parties.PartyUnknown()
            if request.party_id in refusing:
                raise SourceConsentMissing(
                    "当事人未同意向外部数据源查询其信用信息，请先取得单独同意",
                    "The person has not consented to queries at outside sources: obtain a separate consent first",
                )
            if request.capability not in enabled:
                raise SourcesNotConfigured(
                    f"没有启用 {request.capability} 的数据源，请先在数据源设置中勾选",
                    f"No source for {request.capability} is enabled: tick one first",
                )
            bank_card = _bank_card(request)
        except Problem as problem:
            outcomes.append(problem)
            continue
        query_id = await store.open_query_of(uow, request.party_id, request.capability)
        if query_id is None:
            query_id = new_id()
            await store.insert_query(uow, query_id, request.party_id, request.capability, bank_card)
            new.append(query_id)
        outcomes.append(
            ScoreAsked(
                id=public_id(Prefix.SCORE_QUERY, query_id),
                party_id=public_id(Prefix.PARTY, request.party_id),
                capability=str(request.capability),
            )
        )
    if new:
        uow.enqueue(QUERY_JOB, {"query_ids": [str(query_id) for query_id in new]})
    return outcomes


def _bank_card(request: AskScore) -> str | None:
    if "bank_card" not in NEEDED[request.capability]:
        return None
    if request.bank_card is None:
        raise Invalid.field("/bank_card", "credit.bank_card_missing", "请填写银行卡号", "Give the number of the bank card")
    return normalize_bank_card(request.bank_card)


async def begin_queries(uow: UnitOfWork, query_ids: Sequence[UUID]) -> list[Errand]:
    """Take up questions: settle from what a source said lately, else open what the sources need, on record, for the way out.

    The intent is committed with this transaction; the sources are called after it. Whoever took the consent back meanwhile is not asked about.
    """
    queries = await store.begin_queries(uow, query_ids)
    if not queries:
        return []
    enabled = [source for source in await store.sources(uow) if source.is_enabled]
    refusing = await parties.parties_without_consent(
        uow, [query.party_id for query in queries], parties.ConsentPurpose.SCORE_QUERY
    )
    left: list[tuple[store.OpenQuery, list[Source]]] = []
    for query in queries:
        sources = [source for source in enabled if source.capability is query.capability]
        if query.party_id in refusing or not sources:
            await store.settle_query(uow, query.id, QueryState.UNANSWERED)
        elif not await _answered_from_before(uow, query, sources):
            left.append((query, sources))
    if not left:
        return []
    people = await parties.open_people(uow, [query.party_id for query, _ in left], parties.DisclosurePurpose.SCORE_QUERY)
    return [Errand(query, _question(query, people[query.party_id]), sources) for query, sources in left]


async def _answered_from_before(uow: UnitOfWork, query: store.OpenQuery, sources: Sequence[Source]) -> bool:
    """Whether a source has said it lately enough for its own rule, in the tenant's order; the repeat is on file as one."""
    for source in sources:
        if source.cache_days == 0:
            continue
        since = uow.now - timedelta(days=source.cache_days)
        found = await store.reusable_result(uow, query.party_id, query.capability, source.provider, since)
        if found is not None:
            await store.insert_result(uow, _repeat(uow, query, found))
            return await store.settle_query(uow, query.id, QueryState.ANSWERED)
    return False


def _repeat(uow: UnitOfWork, query: store.OpenQuery, found: ScoreResult) -> ScoreResult:
    return ScoreResult(
        id=new_id(),
        query_id=query.id,
        party_id=query.party_id,
        capability=query.capability,
        provider=found.provider,
        outcome=ScoreOutcome.OK,
        reason=None,
        reference=found.reference,
        observed_at=found.observed_at,
        known_at=uow.now,
        latency_ms=0,
        is_cached=True,
        cost_fen=0,
        values=found.values,
    )


def _question(query: store.OpenQuery, person: parties.OpenPerson) -> Question:
    values = {
        "name": person.name,
        "identity_no": person.identity_no,
        "phone": person.phone,
        "bank_card": query.bank_card or "",
    }
    return Question(
        public_id(Prefix.SCORE_QUERY, query.id),
        query.capability,
        query.asked_at,
        {name: values[name] for name in NEEDED[query.capability]},
    )


async def record_answers(uow: UnitOfWork, errand: Errand, answers: Sequence[Asked]) -> None:
    """Keep what each source said, unknown outcomes too, and settle the question.

    Without an answer, while a source's outcome is unknown, the question stays open and is put again under the same number, three times
    in all; then it is unanswered, which a decision can see.
    """
    query = errand.query
    results = [_result(uow, query, asked) for asked in answers]
    for result in results:
        await store.insert_result(uow, result)
    outcomes = {result.outcome for result in results}
    if ScoreOutcome.OK in outcomes:
        await store.settle_query(uow, query.id, QueryState.ANSWERED)
    elif ScoreOutcome.UNKNOWN in outcomes and query.attempts < ATTEMPTS_MAX:
        uow.enqueue(QUERY_JOB, {"query_ids": [str(query.id)]}, after=ASK_AGAIN_AFTER * query.attempts)
    else:
        await store.settle_query(uow, query.id, QueryState.UNANSWERED)
    evidence.append(
        uow,
        [
            evidence.Leaf(
                "credit.source.asked",
                query.party_id,
                {
                    "query": public_id(Prefix.SCORE_QUERY, query.id),
                    "capability": str(query.capability),
                    "provider": result.provider,
                    "outcome": str(result.outcome),
                    "reason": result.reason,
                    "reference": result.reference,
                },
            )
            for result in results
        ],
    )


def _result(uow: UnitOfWork, query: store.OpenQuery, asked: Asked) -> ScoreResult:
    said = asked.result.value if isinstance(asked.result, Ok) else None
    outcome, reason = ScoreOutcome.OK, None
    if isinstance(asked.result, Failed):
        outcome, reason = ScoreOutcome.REFUSED, asked.result.code[:REASON_CHARS_MAX]
    elif isinstance(asked.result, Unknown):
        outcome, reason = ScoreOutcome.UNKNOWN, asked.result.reason[:REASON_CHARS_MAX]
    observed_at = said.observed_at if said is not None and said.observed_at is not None else uow.now
    return ScoreResult(
        id=new_id(),
        query_id=query.id,
        party_id=query.party_id,
        capability=query.capability,
        provider=asked.source.provider,
        outcome=outcome,
        reason=reason,
        reference=said.reference if said is not None else None,
        observed_at=min(observed_at, uow.now),
        known_at=uow.now,
        latency_ms=asked.latency_ms,
        is_cached=False,
        cost_fen=asked.source.cost_fen if said is not None else 0,
        values=said.values if said is not None else {},
    )


async def score_results(
    read: ReadSession, party_ids: Sequence[UUID], as_of: Instant
) -> dict[UUID, dict[Capability, ScoreResult]]:
    """By party and capability what was last said, of what was observed before the instant and known by it: facts for indicators.

    Of whoever took the consent to queries back nothing is given. How old an answer may be is for whoever uses it: it has its time.
    """
    refusing = await parties.parties_without_consent(read, party_ids, parties.ConsentPurpose.SCORE_QUERY)
    asked = [party_id for party_id in party_ids if party_id not in refusing]
    found: dict[UUID, dict[Capability, ScoreResult]] = {}
    for result in await store.newest_results(read, asked, as_of, as_of):
        found.setdefault(result.party_id, {})[result.capability] = result
    return found
