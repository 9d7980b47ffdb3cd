"""Watch lists taken in, and people compared with them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.kernel.errors import Problem
from xinzu.kernel.outcomes import Outcome
from xinzu.middle.screening.commands.alerting import open_alerts
from xinzu.middle.screening.model import AlertRule, Finding, WatchEntry, WatchKind
from xinzu.middle.screening.rules.names import best_match, document_form, keys_of
from xinzu.middle.screening.rules.watch_files import read_csv, read_json
from xinzu.middle.screening.store import watch as store
from xinzu.platform.crypto.identifiers import birth_date_of
from xinzu.platform.uow import UnitOfWork
from xinzu.records.evidence import api as evidence
from xinzu.records.parties import api as parties

DOCUMENT_COLUMN = "screening_watch_entry.document"
SCREEN_JOB = "screening.screen_parties"


@dataclass(frozen=True, slots=True)
class ImportWatchList:
    """A list as it is published now. One of ``csv`` and ``json`` is given."""

    name: str
    kind: WatchKind
    csv: str | None = None
    json: str | None = None


class WatchListImported(msgspec.Struct, kw_only=True):
    """What was taken in, and the list's version now."""

    name: str
    kind: str
    version: int
    entry_count: int
    content_sha256: str


async def import_watch_lists(uow: UnitOfWork, requests: Sequence[ImportWatchList]) -> list[Outcome[WatchListImported]]:
    """Replace lists by what is published now; everybody on file is compared with them in the background. Refuses with WatchFileInvalid per
    item. Kept as evidence."""
    outcomes: list[Outcome[WatchListImported]] = []
    for request in requests:
        text = request.csv if request.csv is not None else request.json or ""
        try:
            entries = read_csv(text) if request.csv is not None else read_json(text)
        except Problem as problem:
            outcomes.append(problem)
            continue
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        version = await store.replace(uow, request.name, request.kind, sha256, [(entry, *_keys(uow, entry)) for entry in entries])
        imported = WatchListImported(
            name=request.name, kind=request.kind, version=version, entry_count=len(entries), content_sha256=sha256
        )
        evidence.append(
            uow,
            [
                evidence.Leaf(
                    "screening.watch_list.imported", uow.actor.id, {**msgspec.structs.asdict(imported), "by": str(uow.actor)}
                )
            ],
        )
        uow.enqueue(SCREEN_JOB, {})
        outcomes.append(imported)
    return outcomes


async def screen_parties(uow: UnitOfWork, party_ids: Sequence[UUID]) -> int:
    """Compare parties on file with the watch lists where that has not been done with the lists as they are now (反洗钱法 arts. 28, 40).

    Without a list nobody's name is opened. Each opening is on record. Who is like an entry gets an alert; nothing is decided by it.
    """
    version = await store.version(uow)
    wanted = await store.unscreened(uow, party_ids, version) if version else []
    if not wanted:
        return 0
    people = await parties.open_people(uow, wanted, parties.DisclosurePurpose.WATCH_LIST)
    documents = {each.id: _document_key(uow, each.identity_no) for each in people.values()}
    found = await store.candidates(uow, {each.id: keys_of(each.name) | {documents[each.id]} for each in people.values()})
    findings = []
    for party_id, candidates in found.items():
        person, by_entry = people[party_id], {id(entry): name for name, entry in candidates}
        best = best_match(person.name, birth_date_of(person.identity_no), documents[party_id], [entry for _, entry in candidates])
        if best is not None:
            entry, match = best
            findings.append(
                Finding(
                    rule=AlertRule.WATCH_LIST,
                    party_id=party_id,
                    on=uow.business_date,
                    amount_fen=0,
                    references=[f"{by_entry[id(entry)]}:{entry.reference}:{match.because}"],
                    score=match.score,
                )
            )
    await open_alerts(uow, findings)
    await store.mark_screened(uow, wanted, version)
    return len(wanted)


def _keys(uow: UnitOfWork, entry: WatchEntry) -> tuple[str | None, set[str]]:
    """An entry's document key and the keys it is found by."""
    document_key = None if entry.document_no is None else _document_key(uow, entry.document_no)
    keys = {key for name in entry.names for key in keys_of(name)}
    return document_key, keys if document_key is None else keys | {document_key}


def _document_key(uow: UnitOfWork, document_no: str) -> str:
    return uow.vault.blind(DOCUMENT_COLUMN, document_form(document_no)).hex()
