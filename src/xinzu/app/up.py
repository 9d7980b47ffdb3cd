"""``xinzu up``: the whole product on one machine under one supervisor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from xinzu.app.demo.access import sandbox_environment
from xinzu.app.supervisor import Child, Stopped, Supervisor, command, embedded
from xinzu.platform.servers import ports
from xinzu.platform.servers.home import prepare_home
from xinzu.platform.servers.nats import EmbeddedNats
from xinzu.platform.servers.postgres import EmbeddedPostgres
from xinzu.platform.settings import Settings, base_url

_LOG_BYTES_MAX = 16 * 1024 * 1024


def run(
    settings: Settings,
    say: Callable[[str], None],
    on_ready: Callable[[str], None],
    *,
    follow: bool = False,
    prepare: Sequence[str] = (),
) -> None:
    """Start everything and keep it running until SIGTERM or SIGINT. ``on_ready`` gets the address once all answer.

    ``prepare`` is a command of ours (its words) that is run to its end, showing its output, when the servers and the sandbox
    are up and nothing else is yet.

    ``follow`` lets the processes' logs through to our output instead of ``home/log``. Raises CannotStart.
    """
    home = prepare_home(settings.home)
    with Supervisor(home, say) as supervisor:
        try:
            servers = [embedded(server) for server in _servers(settings)]
            if servers:
                supervisor.start(*servers)
            chosen = _choose_ports(settings, home)
            address = base_url(settings, chosen["api"])
            supervisor.facts |= {"ports": _recorded_ports(home), "address": address}
            env = _environment(settings, chosen, address)
            supervisor.run_once("xinzu migrate", _argv("migrate"), env, _log(home, "migrate"))
            twins, processes = _processes(settings, home, chosen, env, follow)
            supervisor.start(*twins)
            if prepare:
                supervisor.run_once(" ".join(("xinzu", *prepare)), _argv(*prepare), env, None)
            supervisor.start(*processes)
            on_ready(address)
            supervisor.run()
        except Stopped:
            pass
        say("stopping")


def _servers(settings: Settings) -> list[EmbeddedPostgres | EmbeddedNats]:
    servers: list[EmbeddedPostgres | EmbeddedNats] = []
    if settings.database_url is None:
        servers.append(EmbeddedPostgres.of(settings))
    if settings.nats_url is None:
        servers.append(EmbeddedNats.of(settings))
    return servers


def _processes(
    settings: Settings, home: Path, at: Mapping[str, int], env: Mapping[str, str], follow: bool
) -> tuple[list[Child], list[Child]]:
    """The provider twins of a demo, which come first because the others call them, and the product's own processes."""

    def child(name: str, port: str, path: str) -> Child:
        return command(name, _argv(name), env, f"http://127.0.0.1:{at[port]}{path}", None if follow else _log(home, name))

    twins = [child("sandbox", "sandbox", "/livez")] if settings.demo else []
    own = [
        child("api", "api", "/readyz"),
        child("worker", "worker_health", "/readyz"),
        child("gateway", "gateway_health", "/readyz"),
    ]
    return twins, own


def _argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "xinzu.app.cli", *words]


def _log(home: Path, name: str) -> Path:
    path = home / "log" / f"{name}.log"
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return path


def _choose_ports(settings: Settings, home: Path) -> dict[str, int]:
    """A free port for each listener, recorded for other processes of the home."""
    wanted = {
        "api": (settings.http_port, settings.http_host),
        "worker_health": (settings.worker_health_port, "127.0.0.1"),
        "gateway_health": (settings.gateway_health_port, "127.0.0.1"),
        "jt808": (settings.jt808_port, settings.jt808_host),
        "sandbox": (settings.sandbox_port, "127.0.0.1"),
    }
    chosen: dict[str, int] = {}
    for name, (preferred, host) in wanted.items():
        chosen[name] = ports.free_port(preferred, host, frozenset(chosen.values()))
        ports.record(home, name, chosen[name])
    return chosen


def _recorded_ports(home: Path) -> dict[str, int]:
    names = sorted(path.stem for path in home.glob("*.port"))
    return {name: port for name in names if (port := ports.recorded(home, name)) is not None}


def _environment(settings: Settings, chosen: Mapping[str, int], address: str) -> dict[str, str]:
    """What the children read: our own environment, with what was decided here."""
    twins = sandbox_environment(settings, chosen["sandbox"]) if settings.demo else {}
    return {
        **os.environ,
        **twins,
        "PYTHONUNBUFFERED": "1",
        "XINZU_HOME": str(settings.home),
        "XINZU_DEMO": "true" if settings.demo else "false",
        "XINZU_PUBLIC_BASE_URL": address,
        "XINZU_HTTP_PORT": str(chosen["api"]),
        "XINZU_WORKER_HEALTH_PORT": str(chosen["worker_health"]),
        "XINZU_GATEWAY_HEALTH_PORT": str(chosen["gateway_health"]),
        "XINZU_JT808_PORT": str(chosen["jt808"]),
        "XINZU_SANDBOX_PORT": str(chosen["sandbox"]),
    }
