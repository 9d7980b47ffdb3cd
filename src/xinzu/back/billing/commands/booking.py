"""From the postings rules to entries of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from xinzu.back.billing.model import Transfer
from xinzu.back.billing.rules.postings import CHART
from xinzu.kernel.ids import Prefix
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger

# How many postings of different amounts a close remembers: those of one plan are alike.
ALIKE_MAX = 50_000

MEMOS = {
    "billing.commenced": "起租放款",
    "billing.tranche_paid": "分笔放款",
    "billing.instalment_due": "租金到期",
    "billing.instalments_due": "当日到期租金",
    "billing.income_earned": "确认收入",
    "billing.income_accrued": "月末计提未到期收入",
    "billing.accrual_reversed": "冲回上月末计提",
    "billing.accrual_stopped": "停止计提，冲回未收利息",
    "billing.accrual_resumed": "恢复计提，确认未收利息",
    "billing.interest_recognised": "收到未确认利息，确认收入",
    "billing.instalment_cancelled": "未开始的租期取消",
    "billing.amended": "合同变更",
    "billing.charge_raised": "应收费用",
    "billing.charge_cancelled": "应收费用取消",
    "billing.late_fees": "当日滞纳金",
    "billing.late_fee_corrected": "滞纳金按到账日重算",
    "billing.receipt": "收款",
    "billing.receipt_reversed": "收款冲正",
    "billing.credit_applied": "溢缴款抵扣",
    "billing.waived": "减免",
    "billing.written_off": "核销",
    "billing.reinstated": "收回已核销款项",
    "billing.provision": "计提减值准备",
    "billing.refund": "退款",
    "billing.partner_share": "合作方分成",
    "billing.payout": "支付合作方",
}

# What the sources of these entries are: an allocation and a closed day have no public id. What is accrued at the end of a month is about
# the day and no agreement.
ledger.name_facts(
    Prefix.AGREEMENT,
    [
        ("billing.commenced", Prefix.AGREEMENT),
        ("billing.tranche_paid", None),
        ("billing.instalment_due", Prefix.INSTALMENT),
        ("billing.instalments_due", None),
        ("billing.income_earned", None),
        ("billing.accrual_stopped", None),
        ("billing.accrual_resumed", None),
        ("billing.interest_recognised", None),
        ("billing.instalment_cancelled", Prefix.INSTALMENT),
        ("billing.amended", Prefix.AMENDMENT),
        ("billing.charge_raised", Prefix.CHARGE),
        ("billing.charge_cancelled", Prefix.CHARGE),
        ("billing.late_fees", None),
        ("billing.late_fee_corrected", None),
        ("billing.receipt", Prefix.RECEIPT),
        ("billing.receipt_reversed", Prefix.RECEIPT),
        ("billing.credit_applied", None),
        ("billing.waived", None),
        ("billing.written_off", None),
        ("billing.reinstated", None),
        ("billing.provision", None),
        ("billing.refund", Prefix.REFUND),
    ],
)
ledger.name_facts(Prefix.PARTNER, [("billing.partner_share", None), ("billing.payout", Prefix.PAYOUT)])


def entry(
    kind: str, source_id: UUID, on: BusinessDate, transfers: Iterable[tuple[UUID, Sequence[Transfer]]]
) -> ledger.Entry | None:
    """The entry of one fact from its transfers per agreement, or None when nothing moved."""
    postings = tuple(
        ledger.Posting(transfer.debit_account, transfer.credit_account, transfer.amount_fen, agreement_id)
        for agreement_id, moved in transfers
        for transfer in moved
    )
    return ledger.Entry(kind, source_id, on, MEMOS[kind], postings) if postings else None


@dataclass(slots=True)
class Draft:
    """Entries in columns, for a command that books for very many agreements: no object for each entry and posting."""

    facts: list[ledger.Fact] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)  # of the postings of each fact
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)
    pair_of: list[int] = field(default_factory=list)
    amounts_fen: list[int] = field(default_factory=list)
    subject_ids: list[UUID] = field(default_factory=list)

    def add(self, kind: str, source_id: UUID, on: BusinessDate, transfers: Iterable[tuple[UUID, Sequence[Transfer]]]) -> None:
        """The entry of one fact from its transfers per agreement; nothing when nothing moved. Told again at once, the fact goes on."""
        before = len(self.subject_ids)
        for agreement_id, moved in transfers:
            for transfer in moved:
                self._move(transfer, agreement_id)
        if len(self.subject_ids) == before:
            return
        fact = ledger.Fact(kind, source_id, on, MEMOS[kind])
        if self.facts and self.facts[-1] == fact:
            self.counts[-1] += len(self.subject_ids) - before
        else:
            self.facts.append(fact)
            self.counts.append(len(self.subject_ids) - before)

    def add_entries(self, entries: Iterable[ledger.Entry | None]) -> None:
        """Entries that were made one by one."""
        for made in entries:
            if made is not None:
                self.facts.append(ledger.Fact(made.kind, made.source_id, made.business_date, made.memo, made.effective_on))
                self.counts.append(len(made.postings))
                for posting in made.postings:
                    self._move(posting, posting.subject_id)

    def add_draft(self, other: Draft) -> None:
        """The entries of another draft behind these."""
        pair_of = [self.pairs.setdefault(pair, len(self.pairs)) for pair in other.pairs]
        self.facts += other.facts
        self.counts += other.counts
        self.pair_of += [pair_of[pair] for pair in other.pair_of]
        self.amounts_fen += other.amounts_fen
        self.subject_ids += other.subject_ids

    def _move(self, moved: Transfer | ledger.Posting, subject_id: UUID) -> None:
        pair = moved.debit_account, moved.credit_account
        self.pair_of.append(self.pairs.setdefault(pair, len(self.pairs)))
        self.amounts_fen.append(moved.amount_fen)
        self.subject_ids.append(subject_id)


async def post(uow: UnitOfWork, entries: Iterable[ledger.Entry | None]) -> None:
    """Book what moved. The last thing a command does.

    A fact of a date that is closed already (a due date before a late handover, a day closed late) is booked on the first open day and
    keeps its date as effective date.
    """
    draft = Draft()
    draft.add_entries(entries)
    await post_draft(uow, draft)


async def post_draft(uow: UnitOfWork, draft: Draft) -> None:
    """Book a draft, as ``post`` does and as late in the transaction."""
    journal = ledger.Journal(draft.facts, draft.counts, list(draft.pairs), draft.pair_of, draft.amounts_fen, draft.subject_ids)
    await ledger.post_many(uow, journal, moves_late=True)


async def open_chart(uow: UnitOfWork) -> None:
    """The accounts billing books on, in the tenant's chart. Harmless when they are there."""
    await ledger.open_accounts(
        uow,
        [
            ledger.Account(line.code, line.name_zh, line.name_en, ledger.AccountType(line.type), ledger.Side(line.normal_side))
            for line in CHART
        ],
    )
