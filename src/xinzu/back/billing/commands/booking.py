"""From the postings rules to entries of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from xinzu.back.billing.model import Transfer
from xinzu.back.billing.rules.postings import CHART
from xinzu.kernel.ids import Prefix
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger

MEMOS = {
    "billing.commenced": "起租放款",
    "billing.instalment_due": "租金到期",
    "billing.income_earned": "确认收入",
    "billing.instalment_cancelled": "未开始的租期取消",
    "billing.charge_raised": "应收费用",
    "billing.charge_cancelled": "应收费用取消",
    "billing.late_fees": "当日滞纳金",
    "billing.receipt": "收款",
    "billing.receipt_reversed": "收款冲正",
    "billing.credit_applied": "溢缴款抵扣",
    "billing.waived": "减免",
    "billing.written_off": "核销",
    "billing.reinstated": "收回已核销款项",
    "billing.provision": "计提减值准备",
    "billing.refund": "退款",
}

# What the sources of these entries are: an allocation and a closed day have no public id.
ledger.name_facts(
    Prefix.AGREEMENT,
    [
        ("billing.commenced", Prefix.AGREEMENT),
        ("billing.instalment_due", Prefix.INSTALMENT),
        ("billing.income_earned", None),
        ("billing.instalment_cancelled", Prefix.INSTALMENT),
        ("billing.charge_raised", Prefix.CHARGE),
        ("billing.charge_cancelled", Prefix.CHARGE),
        ("billing.late_fees", None),
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


async def post(uow: UnitOfWork, entries: Iterable[ledger.Entry | None]) -> None:
    """Book what moved. The last thing a command does.

    A fact of a date that is closed already (a due date before a late handover, a day closed late) is booked on the first open day and
    keeps its date as effective date.
    """
    await ledger.post(uow, [made for made in entries if made is not None], moves_late=True)


async def open_chart(uow: UnitOfWork) -> None:
    """The accounts billing books on, in the tenant's chart. Harmless when they are there."""
    await ledger.open_accounts(
        uow,
        [
            ledger.Account(line.code, line.name_zh, line.name_en, ledger.AccountType(line.type), ledger.Side(line.normal_side))
            for line in CHART
        ],
    )
