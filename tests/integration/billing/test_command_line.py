"""``xinzu billing`` as a person in finance uses it: close, catch up, compare, look at an agreement."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import pytest
from tests.integration.billing.conftest import Rental

from xinzu.back.billing import api as billing
from xinzu.kernel.ids import Prefix, public_id
from xinzu.platform.servers.roles import DatabaseUrls, plain_url
from xinzu.records.ledger import api as ledger

Said = subprocess.CompletedProcess[str]


@pytest.fixture
def xinzu(rental: Rental, database_urls: DatabaseUrls, home: Path) -> Callable[..., Awaitable[Said]]:
    """The command line against this test's database and tenant."""
    admin = plain_url(database_urls.admin.get_secret_value())
    environment = {
        **os.environ,
        "XINZU_HOME": str(home),
        "XINZU_DATABASE_URL": admin,
        "XINZU_DATABASE_NAME": f"xinzu_test_{os.getpid()}",
        "COLUMNS": "200",
    }

    async def run(*arguments: str) -> Said:
        async with rental.runtime.reading(rental.tenant_id) as read:
            slug = str(await read.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant"))
        command = [sys.executable, "-m", "xinzu.app.cli", "billing", *arguments, "--tenant", slug]
        return await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def rows(said: Said, beginning: str) -> list[list[str]]:
    """The cells of a table's rows that begin so."""
    lines = (line for line in said.stdout.splitlines() if re.match(rf"\W*{re.escape(beginning)}", line))
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def row(said: Said, beginning: str) -> list[str]:
    return rows(said, beginning)[0]


async def test_a_day_is_tried_closed_and_caught_up(rental: Rental, xinzu: Callable[..., Awaitable[Said]]) -> None:
    await rental.begin()  # on 2 March
    tried = await xinzu("close", "--dry-run", "--en")
    assert tried.returncode == 0, tried.stderr
    assert "2026-03-02" in tried.stdout
    assert "nothing was changed" in tried.stdout
    async with rental.runtime.reading(rental.tenant_id) as read:
        assert (await billing.days_to_close(read)) == []  # in the test's time the day is not over, and it is not closed
        assert await read.scalar("SELECT count(*) FROM billing_day WHERE tenant_id = :tenant") == 0
    closed = await xinzu("close", "--date", "2026-03-02")
    assert closed.returncode == 0, closed.stderr
    again = await xinzu("close", "--date", "2026-03-02")
    assert (again.returncode, "此前已日终" in again.stdout) == (0, True)
    skipped = await xinzu("close", "--date", "2026-03-09", "--en")
    assert (skipped.returncode, "Traceback" in skipped.stderr) == (1, False)
    assert "2026-03-03" in skipped.stderr

    stopped = await xinzu("catch-up", "--until", "2026-04-03", "--wait", "0", "--en")
    assert stopped.returncode == 1, "the second rent falls due on 2 April and nobody has asked for it yet"
    assert "Stopped before 2026-04-02" in stopped.stderr
    assert row(stopped, "fall due on the next day")[-1] == "1"
    assert "2026-03-20" in stopped.stderr, "progress is shown"
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:  # what the worker does
        await uow.execute("DELETE FROM platform_delivery WHERE tenant_id = :tenant")
    done = await xinzu("catch-up", "--until", "2026-04-03", "--en")
    assert done.returncode == 0, done.stderr
    nothing = await xinzu("catch-up", "--until", "2026-04-03", "--en")
    assert (nothing.returncode, "Nothing to close" in nothing.stdout) == (0, True)


async def test_books_are_compared_and_a_difference_is_an_exit_code(rental: Rental, xinzu: Callable[..., Awaitable[Said]]) -> None:
    await rental.begin()
    agreed = await xinzu("reconcile")
    assert agreed.returncode == 0, agreed.stderr
    assert "账实相符" in agreed.stdout
    balance = await xinzu("trial-balance", "--date", "2026-03-31", "--en")
    assert row(balance, "1012")[-1] == "299.00"
    debits, credits = row(balance, "total")[2:4]
    assert debits == credits
    async with rental.runtime.reading(rental.tenant_id) as read:
        trial = await ledger.trial_balance(read, date(2026, 3, 31))
    assert ledger.trial_balance_sha256(trial.lines) in balance.stdout
    async with rental.runtime.unit(rental.tenant_id, rental.actor) as uow:
        await uow.execute("UPDATE billing_receipt SET amount_fen = amount_fen + 1 WHERE tenant_id = :tenant")
    differs = await xinzu("reconcile", "--en")
    assert differs.returncode == 1
    assert row(differs, "2203")[-1] == "-0.01"


async def test_an_agreement_says_what_it_owes_and_why(rental: Rental, xinzu: Callable[..., Awaitable[Said]]) -> None:
    await rental.begin()
    await rental.pass_days(40)
    shown = await xinzu("account", public_id(Prefix.AGREEMENT, rental.agreement_id), "--en")
    assert shown.returncode == 0, shown.stderr
    late_fee, rent = rows(shown, "2026-04-02")
    assert rent[1:5] == ["rent", "299.00", "0.00", "299.00"]
    assert late_fee[1] == "late fee"
    assert late_fee[5], "each amount says why"
    account = await rental.account()
    assert f"Owed {account.balance_due_fen / 100:.2f} yuan" in shown.stdout
    assert f"for {account.days_past_due} days" in shown.stdout
    wrong = await xinzu("account", "agr_1")
    assert wrong.returncode == 2
    unknown = await xinzu("account", public_id(Prefix.AGREEMENT, rental.party_id))
    assert (unknown.returncode, "Traceback" in unknown.stderr) == (1, False)
