"""The books as files that Excel opens, that sum to zero, and that run nothing."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from openpyxl import load_workbook
from tests.conftest import key_headers
from tests.integration.ledger.books import open_books, payment, sale

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform import spreadsheets
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.roles import DatabaseUrls, plain_url
from xinzu.records.ledger import api as ledger

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DATES = {"from": "2026-02-01", "to": "2026-03-02"}
EVIL = ['=HYPERLINK("http://evil","租金")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "两行\n=1"]


async def shop(runtime: Runtime, tenant_id: int, actor: Actor) -> None:
    subject = new_id()
    await open_books(
        runtime,
        tenant_id,
        actor,
        *(sale(10_001 + n, subject, date(2026, 2, 3), memo=memo) for n, memo in enumerate(EVIL)),
        payment(90_000, subject, date(2026, 3, 1)),
    )


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def sheet(content: bytes) -> list[dict[str, Any]]:
    rows = list(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))
    return [dict(zip(map(str, rows[0]), row, strict=True)) for row in rows[1:]]


async def test_the_trial_balance_as_a_file_sums_to_zero(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await shop(runtime, tenant_id, actor)
    path = "/v1/ledger/exports/trial-balance"
    plain = await api.get(path, params={"from": "2026-03-01", "format": "csv"}, headers=api_key)
    assert plain.headers["content-type"] == "text/csv; charset=utf-8"
    assert plain.headers["content-disposition"] == 'attachment; filename="trial-balance-2026-03-02.csv"'
    rows = table(plain.content)
    book = await api.get(path, params={"from": "2026-03-01", "format": "xlsx"}, headers=api_key)
    cells = sheet(book.content)
    for name in ("opening", "closing"):
        for source in (rows, cells):
            assert sum(int(row[f"{name}_debit_fen"]) - int(row[f"{name}_credit_fen"]) for row in source) == 0
    receivable = next(row for row in rows if row["科目编码 code"] == "1122")
    assert (receivable["期初借方 opening_debit"], receivable["opening_debit_fen"]) == ("700.28", "70028")
    # More was paid than was owed: the account stands on its other side.
    assert (receivable["期末贷方 closing_credit"], receivable["期末借方 closing_debit"]) == ("199.72", "0.00")
    shown = next(row for row in cells if row["科目编码 code"] == "1122")
    assert (shown["期末贷方 closing_credit"], shown["closing_credit_fen"]) == (199.72, 19_972)


async def test_the_journal_as_a_file_has_a_debit_for_every_credit(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await shop(runtime, tenant_id, actor)
    plain = await api.get("/v1/ledger/exports/journal", params={**DATES, "bom": "true"}, headers=api_key)
    assert plain.content.startswith(b"\xef\xbb\xbf")
    book = await api.get("/v1/ledger/exports/journal", params=DATES, headers={**api_key, "Accept": XLSX})
    assert book.headers["content-type"] == XLSX
    for rows in (table(plain.content), sheet(book.content)):
        assert len(rows) == 2 * (len(EVIL) + 1)
        assert sum(int(row["debit_fen"]) - int(row["credit_fen"]) for row in rows) == 0
        assert sum(int(row["debit_fen"]) for row in rows) == 160_028
        yuan = sum(round(float(row["借方 debit"]) * 100) for row in rows)
        assert yuan == 160_028


async def test_a_memo_that_looks_like_a_formula_is_text(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await shop(runtime, tenant_id, actor)
    params = {**DATES, "account": "1122"}
    plain = (await api.get("/v1/ledger/exports/lines", params=params, headers=api_key)).content
    book = (await api.get("/v1/ledger/exports/lines", params={**params, "format": "xlsx"}, headers=api_key)).content
    for rows in (table(plain), sheet(book)):
        memos = [str(row["摘要 memo"]) for row in rows[1:]]
        assert len(memos) == len(EVIL) + 1
        assert [memo for memo in memos if memo.lstrip()[:1] in ("=", "+", "-", "@")] == []
        assert memos[0] == f"'{EVIL[0]}"
    cells = [cell for row in load_workbook(io.BytesIO(book)).worksheets[0].iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    # Our own negative numbers stay numbers.
    assert table(plain)[-1]["余额 balance"] == "-199.72"
    assert (sheet(book)[-1]["余额 balance"], sheet(book)[-1]["balance_fen"]) == (-199.72, -19_972)


async def test_a_statement_as_a_file_opens_with_what_stood_there(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient, api_key: dict[str, str]
) -> None:
    await shop(runtime, tenant_id, actor)
    rows = table((await api.get("/v1/ledger/exports/lines?account=1122&from=2026-03-01", headers=api_key)).content)
    assert (rows[0]["摘要 memo"], rows[0]["balance_fen"]) == ("期初余额 opening balance", "70028")
    assert len(rows) == 2
    other = public_id(Prefix.AGREEMENT, new_id())
    of_other = await api.get(f"/v1/ledger/exports/lines?account=1122&from=2026-03-01&subject={other}", headers=api_key)
    assert [row["balance_fen"] for row in table(of_other.content)] == ["0"]


async def test_a_workbook_begins_another_sheet_when_one_is_full(
    runtime: Runtime, tenant_id: int, actor: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreadsheets, "SHEET_ROWS_MAX", 6)
    await shop(runtime, tenant_id, actor)
    with (tmp_path / "journal.xlsx").open("w+b") as target:
        async with runtime.reading(tenant_id) as read:
            form = ledger.FileForm(ledger.Table.XLSX)
            await ledger.export_journal(read, target, form, date(2026, 2, 1), date(2026, 3, 2))
    sheets = load_workbook(tmp_path / "journal.xlsx").worksheets
    assert [len(list(each.iter_rows())) for each in sheets] == [6, 6, 6, 2]


async def test_files_are_given_to_whoever_may_read_the_books(
    runtime: Runtime, tenant_id: int, actor: Actor, api: AsyncClient
) -> None:
    await shop(runtime, tenant_id, actor)
    viewer = await key_headers(runtime, tenant_id, "viewer")
    for name in ("trial-balance", "journal", "lines?account=1122"):
        assert (await api.get(f"/v1/ledger/exports/{name}", headers=viewer)).status_code == 200
        assert (await api.get(f"/v1/ledger/exports/{name}")).status_code == 401
    wrong = await api.get("/v1/ledger/exports/journal?format=pdf", headers=viewer)
    assert wrong.status_code == 422


async def test_the_command_line_writes_the_same_files(
    runtime: Runtime,
    tenant_id: int,
    actor: Actor,
    api: AsyncClient,
    api_key: dict[str, str],
    database_urls: DatabaseUrls,
    home: Path,
    tmp_path: Path,
) -> None:
    await shop(runtime, tenant_id, actor)
    admin = plain_url(database_urls.admin.get_secret_value())
    name = f"xinzu_test_{os.getpid()}"
    environment = {**os.environ, "XINZU_HOME": str(home), "XINZU_DATABASE_URL": admin, "XINZU_DATABASE_NAME": name}
    async with runtime.reading(tenant_id) as read:
        slug = str(await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant"))

    async def xinzu(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "xinzu.app.cli", "ledger", "export", *arguments]
        return await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, timeout=60, check=False)

    dates = ("--from", "2026-02-01", "--to", "2026-03-02")
    said = await xinzu(slug, "journal", *dates, "--bom")
    assert said.returncode == 0, said.stderr.decode()
    served = await api.get("/v1/ledger/exports/journal", params={**DATES, "bom": "true"}, headers=api_key)
    assert said.stdout == served.content
    target = tmp_path / "lines.xlsx"
    said = await xinzu(slug, "lines", *dates, "--account", "1122", "--format", "xlsx", "-o", str(target))
    assert said.returncode == 0, said.stderr.decode()
    assert sheet(target.read_bytes())[-1]["balance_fen"] == -19_972
    for arguments in (
        (slug, "lines", "--account", "9999", "-o", str(tmp_path / "none.csv")),
        ("no-such-shop", "journal"),
        (slug, "lines"),
        (slug, "journal", "--from", "2026-03-02", "--to", "2026-03-01"),
        (slug, "journal", "--from", "soon"),
    ):
        refused = await xinzu(*arguments)
        assert refused.returncode in (1, 2), arguments
        assert b"Traceback" not in refused.stderr
    assert not (tmp_path / "none.csv").exists()
