"""However posting, closing and reopening follow one another: a closed figure never moves, and every report adds up to the entries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.platform.tenants import create_tenant
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.api import Account, AccountType, Entry, Posting, Side
from xinzu.records.ledger.errors import PeriodClosed
from xinzu.records.ledger.rules.journals import parts, totals_fen
from xinzu.records.ledger.rules.places import pack, unpack

START, DAYS = date(2026, 1, 1), 12
CODES = ("1001", "2001", "6001")
CHART = [
    Account(code, code, code, AccountType.ASSET, side)
    for code, side in zip(CODES, (Side.DEBIT, Side.CREDIT, Side.CREDIT), strict=True)
]
SUBJECTS = [UUID(int=n) for n in (7, 8)]

days = st.integers(0, DAYS - 1).map(lambda n: START + timedelta(days=n))
postings = st.builds(
    lambda pair, amount, subject: Posting(pair[0], pair[1], amount, subject),
    st.permutations(CODES).map(lambda codes: codes[:2]),
    st.integers(1, 10**12),
    st.sampled_from(SUBJECTS),
)
entries = st.builds(
    lambda on, moved: Entry("test.fact", new_id(), on, "", tuple(moved)), days, st.lists(postings, min_size=1, max_size=3)
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.lists(entries, min_size=1, max_size=3), st.booleans()),
        st.tuples(st.just("close"), days),
        st.tuples(st.just("reopen")),
    ),
    max_size=8,
)


class Books:
    """What the books must hold, reckoned by hand."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.closed: list[date] = []

    def booked_on(self, entry: Entry) -> date:
        return max(entry.business_date, self.closed[-1] + timedelta(days=1)) if self.closed else entry.business_date

    def balances(self, on: date, since: date | None = None, subject: UUID | None = None) -> dict[str, tuple[int, int]]:
        sums = {code: [0, 0] for code in CODES}
        for entry in self.entries:
            if entry.business_date <= on and (since is None or entry.business_date >= since):
                for posting in entry.postings:
                    if subject in (None, posting.subject_id):
                        sums[posting.debit_account][0] += posting.amount_fen
                        sums[posting.credit_account][1] += posting.amount_fen
        return {code: (debit, credit) for code, (debit, credit) in sums.items()}


async def take(uow: UnitOfWork, books: Books, step: tuple[object, ...]) -> None:
    match step:
        case ("post", list() as batch, bool() as in_bulk):
            if any(books.booked_on(entry) != entry.business_date for entry in batch):
                try:
                    await ledger.post(uow, batch)
                except PeriodClosed:
                    pass
                else:
                    raise AssertionError("posted into a closed period")
            if in_bulk:
                await ledger.post_many(uow, ledger.journal_of(batch), moves_late=True)
            else:
                await ledger.post(uow, batch, moves_late=True)
            books.entries += [Entry(e.kind, e.source_id, books.booked_on(e), "", e.postings) for e in batch]
        case ("close", date() as through):
            if not books.closed or through > books.closed[-1]:
                accepted((await ledger.close_periods(uow, [ledger.ClosePeriod(through)]))[0])
                books.closed.append(through)
        case _:
            standing = [closure for closure in await ledger.closures(uow) if closure.reopened_at is None]
            if standing:
                newest = max(standing, key=lambda closure: closure.through_on)
                accepted((await ledger.reopen_closures(uow, [ledger.ReopenClosure(newest.id, "漏记")]))[0])
                books.closed.pop()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(given_steps=steps)
async def test_reports_are_the_sums_of_the_entries_whatever_was_closed_between(
    runtime: Runtime, clock: FixedClock, actor: Actor, given_steps: list[tuple[object, ...]]
) -> None:
    clock.set(datetime(2026, 6, 1, tzinfo=UTC))
    tenant_id = await create_tenant(runtime, f"books-{new_id().hex[-12:]}", "账")
    books = Books()
    async with runtime.unit(tenant_id, actor) as uow:
        await ledger.open_accounts(uow, CHART)
        for step in given_steps:
            await take(uow, books, step)
        assert await ledger.closed_through(uow) == (books.closed[-1] if books.closed else None)
        for offset in range(0, DAYS + 1, 3):
            on = START + timedelta(days=offset)
            whole = await ledger.trial_balance(uow, on)
            assert {line.account.code: (line.debit_fen, line.credit_fen) for line in whole.lines} == books.balances(on)
            first = START + timedelta(days=offset // 2)
            period = await ledger.trial_balance(uow, on, first=first)
            moved = books.balances(on, first)
            assert {line.account.code: (line.debit_fen, line.credit_fen) for line in period.lines} == moved
            assert [line.balance_fen for line in period.lines] == [line.balance_fen for line in whole.lines]
            assert period.debit_fen == period.credit_fen
            for code in CODES:
                statement = await ledger.account_statement(uow, code, first, on)
                line = next(line for line in period.lines if line.account.code == code)
                assert (statement.opening_fen, statement.closing_fen) == (line.opening_fen, line.balance_fen)
                totals = await ledger.subject_totals(uow, code, on)
                assert sum(total.balance_fen for total in totals) == line.balance_fen
        journal = await ledger.journal(uow, START, date(2099, 1, 1))
        assert sorted(each.entry_no for each in journal) == list(range(1, len(books.entries) + 1))
        assert [(each.entry.business_date, each.entry_no) for each in journal] == sorted(
            (each.entry.business_date, each.entry_no) for each in journal
        )


@given(counts=st.lists(st.integers(1, 9), max_size=30), postings_max=st.integers(1, 12))
def test_parts_cover_a_journal_once_and_cut_only_between_entries(counts: list[int], postings_max: int) -> None:
    journal = ledger.journal_of(
        Entry("test.fact", UUID(int=n), START, "", (Posting("1001", "6001", n + 1, SUBJECTS[0]),) * count)
        for n, count in enumerate(counts)
    )
    cut = list(parts(journal.counts, postings_max))
    assert [fact for part in cut for fact in range(part.facts_from, part.facts_to)] == list(range(len(counts)))
    assert [place for part in cut for place in range(part.postings_from, part.postings_to)] == list(range(sum(counts)))
    for part in cut:
        size = part.postings_to - part.postings_from
        assert size == sum(counts[part.facts_from : part.facts_to])
        assert size <= postings_max or part.facts_to - part.facts_from == 1
    assert [total for part in cut for total in totals_fen(journal, part)] == [(n + 1) * count for n, count in enumerate(counts)]


@given(packed=st.integers(0, 2**128 - 1))
def test_a_place_survives_its_cursor_and_nothing_else_is_a_place(packed: int) -> None:
    place = unpack(UUID(int=packed))
    assert place is None or pack(place) == UUID(int=packed)
