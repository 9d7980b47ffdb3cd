"""Keeping the books of things: each is taken in, depreciated month by month, and leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from xinzu.back.assets import store
from xinzu.back.assets.commands.register import in_future
from xinzu.back.assets.errors import AssetUnknown
from xinzu.back.assets.model import ASSET_MOVES, AssetState, BookedLine, Disposal, EstimateDraft, LeavingCause
from xinzu.back.assets.rules import depreciation as rules
from xinzu.back.assets.schemas import AssetView, BooksReport, BooksRun, EstimateView, asset_view, estimate_view, line_view
from xinzu.back.assets.store import books
from xinzu.kernel.errors import Invalid, Problem
from xinzu.kernel.ids import Prefix
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger

ASSETS_PER_TURN = 5_000
TAKEN_IN, DEPRECIATED, LEFT = "assets.taken_in", "assets.depreciated", "assets.left"
MEMOS = {TAKEN_IN: "设备入账", DEPRECIATED: "设备折旧", LEFT: "设备转出"}

ledger.name_facts(Prefix.ASSET, [(TAKEN_IN, Prefix.ASSET), (DEPRECIATED, None), (LEFT, Prefix.ASSET)])


@dataclass(slots=True)
class Turn:
    """What one turn of the books moved. ``is_last`` when nothing is left to do up to the month asked for."""

    is_last: bool = False
    entries: list[ledger.Entry] = field(default_factory=list)

    def add(self, kind: str, source_id: UUID, on: BusinessDate, asset_id: UUID, moved: Iterable[rules.Moved]) -> None:
        postings = tuple(ledger.Posting(debit, credit, amount_fen, asset_id) for debit, credit, amount_fen in moved)
        if postings:
            self.entries.append(ledger.Entry(kind, source_id, on, MEMOS[kind], postings))


async def keep(uow: UnitOfWork, through: BusinessDate, *, assets_max: int = ASSETS_PER_TURN) -> Turn:
    """One turn, of so many things at most at each step: what was registered is taken in, what is gone leaves, and every month that ended by
    ``through`` is depreciated, missed ones too. Four statements and the entries, whatever the number of things.

    A fact is one thing's one month, so asking again books nothing twice. A fact of a closed period is booked on the first open day and
    keeps its date as effective date.
    """
    turn = await _turn(uow, through, assets_max)
    await _post(uow, turn.entries)
    return turn


async def run_books(uow: UnitOfWork, requests: Sequence[BooksRun]) -> list[Outcome[BooksReport]]:
    """Keep the books up to the newest month that is over, or show what that would book: a dry run is done and undone.

    Everything in one transaction; the recurring job does the same in turns.
    """
    outcomes: list[Outcome[BooksReport]] = []
    for request in requests:
        through = rules.last_ended_month(uow.business_date)
        async with uow.savepoint(keep=not request.dry_run):
            entries: list[ledger.Entry] = []
            while not (turn := await _turn(uow, through, ASSETS_PER_TURN)).is_last:
                entries += turn.entries
            entries += turn.entries
        if not request.dry_run:
            await _post(uow, entries)
        lines = [line_view(line) for line in summary(entries)]
        outcomes.append(BooksReport(through_on=through, dry_run=request.dry_run, entry_count=len(entries), items=lines))
    return outcomes


async def set_estimates(uow: UnitOfWork, drafts: Sequence[EstimateDraft]) -> list[Outcome[EstimateView]]:
    """Estimates for what is taken into the books from now on (CAS 4 art. 15); what stands there keeps its own. The last one counts."""
    await books.set_estimates(uow, list({draft.product_id: draft for draft in drafts}.values()))
    return [estimate_view(draft) for draft in drafts]


async def dispose_assets(uow: UnitOfWork, disposals: Sequence[Disposal]) -> list[Outcome[AssetView]]:
    """Things are gone: off the register, and out of the books on the books' next turn. A rented one is no longer the lessee's to return.

    Raises AssetUnknown, IllegalMove, and Invalid for a day after today or before the thing came in, per item.
    """
    assets = await store.lock_assets(uow, [disposal.asset_id for disposal in disposals])
    outcomes: list[Outcome[AssetView]] = []
    gone: dict[UUID, tuple[BusinessDate, LeavingCause]] = {}
    for disposal in disposals:
        asset = assets.get(disposal.asset_id)
        on = disposal.disposed_on or uow.business_date
        if asset is None:
            outcomes.append(AssetUnknown())
        elif on > uow.business_date:
            outcomes.append(in_future("/disposed_on"))
        elif on < asset.acquired_on:
            outcomes.append(
                Invalid.field(
                    "/disposed_on",
                    "assets.before_acquisition",
                    f"不能早于取得日 {asset.acquired_on}",
                    f"disposed_on must not be before the day of acquisition, {asset.acquired_on}",
                )
            )
        else:
            try:
                ASSET_MOVES.move(AssetState.RETIRED if asset.id in gone else asset.state, AssetState.RETIRED)
            except Problem as refused:
                outcomes.append(refused)
                continue
            gone[asset.id] = (on, disposal.cause)
            outcomes.append(asset_view(asset, state=AssetState.RETIRED))
    if gone:
        await store.close_stays(uow, list(gone))
        await store.move_assets(uow, list(gone), AssetState.RETIRED)
        await _mark(uow, gone)
    return outcomes


async def derecognise_leased(uow: UnitOfWork, commenced: Sequence[tuple[UUID, BusinessDate]]) -> None:
    """Things (asset, day) that are let by a finance lease from a day on: they stay on the register and leave the books of equipment, their
    carrying amount to the account of leased assets (CAS 21 art. 38). Telling it again changes nothing."""
    await _mark(uow, {asset_id: (on, LeavingCause.LEASED) for asset_id, on in commenced})


async def _mark(uow: UnitOfWork, leaving: dict[UUID, tuple[BusinessDate, LeavingCause]]) -> None:
    await books.mark_leaving(uow, list(leaving), [on for on, _ in leaving.values()], [cause for _, cause in leaving.values()])


def summary(entries: Iterable[ledger.Entry]) -> list[BookedLine]:
    """What entries move, by kind, date and accounts."""
    counts: Counter[tuple[str, BusinessDate, str, str]] = Counter()
    amounts: Counter[tuple[str, BusinessDate, str, str]] = Counter()
    for entry in entries:
        for posting in entry.postings:
            key = (entry.kind, entry.business_date, posting.debit_account, posting.credit_account)
            counts[key] += 1
            amounts[key] += posting.amount_fen
    return [BookedLine(*key, counts[key], amounts[key]) for key in sorted(counts, key=lambda key: (key[1], key[0], *key[2:]))]


async def _turn(uow: UnitOfWork, through: BusinessDate, assets_max: int) -> Turn:
    turn = Turn()
    fresh = await books.take_in(uow, assets_max)
    for row in fresh:
        turn.add(TAKEN_IN, row.asset_id, row.in_use_on, row.asset_id, rules.taken_in(row.cost_fen, row.vat_fen))
    leaving = await books.leaving(uow, assets_max)
    if leaving:
        _add_months(turn, await books.depreciate_leaving(uow, leaving))
        for row in await books.leave(uow, leaving):
            moved = rules.left(LeavingCause(row.leaves_as), row.cost_fen, row.depreciated_fen)
            turn.add(LEFT, row.asset_id, row.leaves_on, row.asset_id, moved)
    due = await books.depreciate_due(uow, through, assets_max)
    _add_months(turn, due)
    turn.is_last = max(len(fresh), len(leaving), len({row.asset_id for row in due})) < assets_max
    return turn


def _add_months(turn: Turn, rows: Iterable[Row]) -> None:
    for row in rows:
        fact = uuid5(row.asset_id, f"{DEPRECIATED}/{row.month_on:%Y-%m}")
        turn.add(DEPRECIATED, fact, row.booked_on, row.asset_id, rules.depreciated(row.amount_fen))


async def _post(uow: UnitOfWork, entries: Sequence[ledger.Entry]) -> None:
    if not entries:
        return
    await ledger.open_accounts(
        uow,
        [
            ledger.Account(line.code, line.name_zh, line.name_en, ledger.AccountType(line.type), ledger.Side(line.normal_side))
            for line in rules.CHART
        ],
    )
    await ledger.post_many(uow, ledger.journal_of(entries), moves_late=True)
