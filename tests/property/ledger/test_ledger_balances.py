"""Whatever is posted, in whatever batches and however often: debits equal credits, on every date."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xinzu.kernel.ids import new_id
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger
from xinzu.records.ledger.api import Account, AccountType, Entry, Posting, Side

CODES = [f"{1000 + n}" for n in range(6)]
CHART = [
    Account(code, f"科目{code}", f"Account {code}", list(AccountType)[n % 5], Side.DEBIT if n % 2 else Side.CREDIT)
    for n, code in enumerate(CODES)
]
START = date(2026, 1, 1)

postings = st.builds(
    lambda pair, amount: Posting(pair[0], pair[1], amount, UUID(int=7)),
    st.permutations(CODES).map(lambda codes: codes[:2]),
    st.integers(1, 10**13),
)
entries = st.builds(
    lambda day, moved, repeat: (Entry("test.fact", new_id(), START + timedelta(days=day), "", tuple(moved)), repeat),
    st.integers(0, 10),
    st.lists(postings, min_size=1, max_size=4),
    st.integers(1, 3),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=st.lists(st.lists(entries, max_size=5), max_size=4))
async def test_any_sequence_of_entries_balances(
    runtime: Runtime, tenant_id: int, actor: Actor, batches: list[list[tuple[Entry, int]]]
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        await ledger.open_accounts(uow, CHART)
        before = await ledger.trial_balance(uow, date(2099, 1, 1))
        expected = {line.account.code: Counter(debit=line.debit_fen, credit=line.credit_fen) for line in before.lines}
        for batch in batches:
            for _ in range(max((repeat for _, repeat in batch), default=0)):
                await ledger.post(uow, [entry for entry, _ in batch])
            for entry, _ in batch:
                for posting in entry.postings:
                    expected[posting.debit_account]["debit"] += posting.amount_fen
                    expected[posting.credit_account]["credit"] += posting.amount_fen
        after = await ledger.trial_balance(uow, date(2099, 1, 1))
        assert {line.account.code: Counter(debit=line.debit_fen, credit=line.credit_fen) for line in after.lines} == expected
        for day in range(11):
            balance = await ledger.trial_balance(uow, START + timedelta(days=day))
            assert balance.debit_fen == balance.credit_fen
            signed = sum(
                line.balance_fen if line.account.normal_side is Side.DEBIT else -line.balance_fen for line in balance.lines
            )
            assert signed == 0
