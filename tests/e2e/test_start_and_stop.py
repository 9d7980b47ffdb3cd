"""Starting and stopping as a user does: nothing is left running, nothing is forgotten."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.installation import READY_MAX_S, STOP_MAX_S, environment, processes_of, running, temporary_home, wait_for
from xinzu.app.process import open_runtime
from xinzu.platform.servers.home import prepare_home
from xinzu.platform.tenants import create_tenant


@pytest.mark.timeout(180)
async def test_a_stop_leaves_no_process_and_the_second_start_finds_its_data() -> None:
    with temporary_home() as home:
        with running(home) as first:
            async with open_runtime(first.settings, pool_size=2) as runtime:
                tenant_id = await create_tenant(runtime, "shanhu", "珊瑚数码租赁")
            family = first.family()
            # postgres and its own, nats, sandbox, api and the process that answers, worker, gateway
            assert len(family) > 8
            assert first.stop(signal.SIGINT) == 0
            _nothing_is_left(home, family, first.ports)
        with running(home) as second:
            async with open_runtime(second.settings, pool_size=2) as runtime:
                assert await runtime.tenant_id_of("shanhu") == tenant_id
            family = second.family()
            assert second.stop(signal.SIGTERM) == 0
            _nothing_is_left(home, family, second.ports)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("line", ["postgres is ready", "sandbox is ready"])
def test_a_stop_in_the_middle_of_the_start_leaves_no_process(line: str) -> None:
    with temporary_home() as home:
        log_path = prepare_home(home) / "up.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "xinzu.app.cli", "up", "--demo"], env=environment(home), stdout=log, stderr=log
            )
        try:
            wait_for(lambda: line in log_path.read_text(), READY_MAX_S, log_path.read_text)
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_MAX_S) == 0
        finally:
            process.kill()
            process.wait()
        _nothing_is_left(home, family, {})


def _nothing_is_left(home: Path, family: list[psutil.Process], ports: dict[str, int]) -> None:
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert processes_of(home) == []
    for name, port in ports.items():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, name
