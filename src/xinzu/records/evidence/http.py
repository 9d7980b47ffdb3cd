"""Routes of the evidence log: facts of a subject, their proofs, the log's signed head."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter

from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, Limit, id_from, reading, requires, subject_from
from xinzu.records.evidence import api, schemas

POSITION_MAX = 2**63 - 1
READER = [requires(Permission.EVIDENCE_READ)]

Subject = Annotated[
    str, QueryParameter(name="subject", max_length=64, description="The id of what the facts are about, e.g. agr_…")
]
OlderSize = Annotated[int, QueryParameter(name="from", ge=1, le=POSITION_MAX, description="The older size, in leaves")]
NewerSize = Annotated[
    int | None,
    QueryParameter(
        name="to", ge=1, le=POSITION_MAX, required=False, description="The newer size, in leaves; default: the log's size now"
    ),
]


@get("/v1/evidence", tags=["evidence"], operation_id="list_evidence", guards=READER)
async def list_leaves(
    request: HttpRequest, subject: Subject, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.LeafPage:
    """What was recorded about a subject, oldest first."""
    after = decode_cursor(cursor)
    async with reading(request) as read:
        facts = await api.facts_of(
            read,
            subject_from(subject),
            after_position=-1 if after is None else min(after.int, POSITION_MAX),
            limit=limit + 1,
        )
    page = page_of(facts, limit, lambda fact: UUID(int=fact.position))
    return schemas.LeafPage(items=[schemas.leaf_view(fact) for fact in page.items], next_cursor=page.next_cursor)


@get("/v1/evidence/leaves/{leaf_id:str}/proof", tags=["evidence"], operation_id="prove_evidence", guards=READER)
async def prove(request: HttpRequest, leaf_id: FromPath[str]) -> schemas.ProofView:
    """The proof that a fact is in the log, against a signed checkpoint."""
    async with reading(request) as read:
        return msgspec.convert(api.proof_document(await api.prove(read, id_from(Prefix.LEAF, leaf_id))), schemas.ProofView)


@get("/v1/evidence/checkpoint", tags=["evidence"], operation_id="get_checkpoint", guards=READER)
async def get_checkpoint(request: HttpRequest) -> schemas.CheckpointView:
    """The signed head of the log as it stands now."""
    async with reading(request) as read:
        return schemas.checkpoint_view(await api.checkpoint(read))


@get("/v1/evidence/consistency", tags=["evidence"], operation_id="prove_consistency", guards=READER)
async def prove_consistency(request: HttpRequest, older: OlderSize, newer: NewerSize = None) -> schemas.ConsistencyView:
    """The proof that the log of one size is the beginning of the log of a later size: nothing was changed or taken away."""
    async with reading(request) as read:
        return msgspec.convert(api.consistency_document(await api.prove_consistency(read, older, newer)), schemas.ConsistencyView)


routes = [list_leaves, prove, get_checkpoint, prove_consistency]
