"""Routes that give the books as files."""

from __future__ import annotations

from litestar import get
from litestar.response import Stream

from xinzu.platform.http.door import HttpRequest, reading, subject_from
from xinzu.platform.http.files import Bom, FileOperation, Format, file_response, form_of
from xinzu.records.ledger import api
from xinzu.records.ledger.http.parameters import READER, AccountCode, AnySubject, From, FromBeginning, On, To, period


@get(
    "/v1/ledger/exports/trial-balance",
    tags=["ledger"],
    operation_id="export_trial_balance",
    operation_class=FileOperation,
    guards=READER,
)
async def export_trial_balance(
    request: HttpRequest, on: On = None, first: FromBeginning = None, table: Format = None, bom: Bom = False
) -> Stream:
    """The trial balance 科目余额表 as CSV or Excel workbook. Debit columns sum to credit columns."""
    form = form_of(request, table, bom)
    async with reading(request) as read:
        last = on or read.business_date
        if first is not None:
            first, last = period(read, first, last, "/query/on")
        return await file_response(
            form, f"trial-balance-{last}", lambda target: api.export_trial_balance(read, target, form, last, first=first)
        )


@get(
    "/v1/ledger/exports/lines", tags=["ledger"], operation_id="export_ledger_lines", operation_class=FileOperation, guards=READER
)
async def export_lines(
    request: HttpRequest,
    account: AccountCode,
    first: From = None,
    last: To = None,
    subject: AnySubject = None,
    table: Format = None,
    bom: Bom = False,
) -> Stream:
    """The postings of an account 明细账 as CSV or Excel workbook, with the balance running on."""
    form = form_of(request, table, bom)
    subject_id = None if subject is None else subject_from(subject)
    async with reading(request) as read:
        begin, end = period(read, first, last)
        return await file_response(
            form,
            f"ledger-{account}-{begin}-{end}",
            lambda target: api.export_statement(read, target, form, account, begin, end, subject_id=subject_id),
        )


@get("/v1/ledger/exports/journal", tags=["ledger"], operation_id="export_journal", operation_class=FileOperation, guards=READER)
async def export_journal(
    request: HttpRequest, first: From = None, last: To = None, table: Format = None, bom: Bom = False
) -> Stream:
    """Every posting 序时账 as CSV or Excel workbook, a row for its debit and one for its credit; both columns have one sum."""
    form = form_of(request, table, bom)
    async with reading(request) as read:
        begin, end = period(read, first, last)
        return await file_response(
            form, f"journal-{begin}-{end}", lambda target: api.export_journal(read, target, form, begin, end)
        )


routes = [export_trial_balance, export_lines, export_journal]
