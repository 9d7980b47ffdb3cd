"""A whole installation for a measurement: its own home, PostgreSQL, and product processes started as the product starts them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from xinzu.app.modules import load_modules
from xinzu.app.process import open_runtime
from xinzu.app.supervisor import read_state
from xinzu.platform.runtime import Runtime
from xinzu.platform.schema import migrate
from xinzu.platform.servers.postgres import EmbeddedPostgres
from xinzu.platform.servers.roles import ensure_roles_and_database
from xinzu.platform.settings import Settings

READY_LIMIT_S = 60
# A measurement is one client: it must not be held back by the limits that protect against one.
ENVIRONMENT = {"XINZU_LOG_LEVEL": "error", "XINZU_RATE_LIMIT_PER_KEY_PER_S": "1000000", "XINZU_BATCH_QUEUE_MAX": "100000"}


@dataclass(frozen=True, slots=True)
class Installation:
    """A home with a migrated database, a runtime of our own over it, and its processes by name."""

    settings: Settings
    runtime: Runtime
    processes: Mapping[str, psutil.Process]
    base_url: str = ""


@asynccontextmanager
async def database_only() -> AsyncIterator[Installation]:
    """A migrated database in a new home; product processes are started beside it by ``product_process``."""
    with tempfile.TemporaryDirectory(prefix="xinzu-bench-") as folder:
        settings = _settings(Path(folder))
        postgres = EmbeddedPostgres.of(settings)
        postgres.start()
        try:
            load_modules()
            urls = await ensure_roles_and_database(postgres.admin_url, settings.home)
            await migrate(urls.owner.get_secret_value())
            async with open_runtime(settings) as runtime:
                yield Installation(settings, runtime, {"postgres": psutil.Process(postgres.pid)})
        finally:
            postgres.stop()


@asynccontextmanager
async def whole_product(**environment: str) -> AsyncIterator[Installation]:
    """``xinzu up --demo`` in a new home: every process of the product, the provider twins among them."""
    with tempfile.TemporaryDirectory(prefix="xinzu-bench-") as folder:
        settings = _settings(Path(folder))
        async with product_process(settings, None, "up", "--demo", **environment):
            state = await _all_ready(settings.home)
            processes = {name: psutil.Process(child["pid"]) for name, child in state["children"].items()}
            async with open_runtime(settings) as runtime:
                yield Installation(settings, runtime, processes, str(state["address"]))


def _settings(home: Path) -> Settings:
    home.chmod(0o755)
    return Settings(home=home, log_level="error")


async def _all_ready(home: Path) -> Mapping[str, Any]:
    for _ in range(READY_LIMIT_S * 10):
        state: Mapping[str, Any] = read_state(home)
        children = state.get("children", {})
        if "gateway" in children and all(child["ready"] for child in children.values()):
            return state
        await asyncio.sleep(0.1)
    raise RuntimeError("xinzu up did not become ready")


@asynccontextmanager
async def product_process(
    settings: Settings, ready_url: str | None, *command: str, **environment: str
) -> AsyncIterator[psutil.Process]:
    """``xinzu <command>`` of this home, ready when its address answers."""
    environ = {**os.environ, **ENVIRONMENT, "XINZU_HOME": str(settings.home), **environment}
    started = subprocess.Popen([sys.executable, "-m", "xinzu.app.cli", *command], env=environ, stdout=subprocess.DEVNULL)
    try:
        if ready_url is not None:
            await _answers(ready_url, started)
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(60)


async def _answers(url: str, started: subprocess.Popen[bytes]) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(READY_LIMIT_S * 10):
            if started.poll() is not None:
                break
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")


def memory_mb(process: psutil.Process) -> float:
    """Proportional memory (PSS) of a process and its children, in MB: shared pages are counted once."""
    total = 0
    for each in _tree(process):
        try:
            total += each.memory_full_info().pss
        except psutil.Error:
            continue  # it ended while we looked
    return total / 1e6


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process, its children, and those of them that have ended."""
    total = 0.0
    for each in _tree(process):
        try:
            spent = each.cpu_times()
        except psutil.Error:
            continue
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
