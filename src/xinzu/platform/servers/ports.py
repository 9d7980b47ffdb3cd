"""Loopback ports: choosing a free one and recording it, so that other processes of the same home find it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_ATTEMPTS = 200


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could bind this TCP port now. SO_REUSEADDR as servers use it, so a port in TIME_WAIT counts as free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(preferred: int, host: str = "127.0.0.1", taken: frozenset[int] = frozenset()) -> int:
    """The preferred port or the next free one above it; 0 lets the system choose. ``taken`` are ports promised to others.

    Another process may still bind the port first: who starts a server on it tries again with a new port when that happens.
    """
    if preferred:
        for port in range(preferred, min(preferred + _ATTEMPTS, 65536)):
            if port not in taken and is_free(port, host):
                return port
    while True:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def record(home: Path, name: str, port: int) -> None:
    """Write the chosen port of a server to ``home/<name>.port``."""
    path = home / f"{name}.port"
    temporary = path.with_suffix(".port.new")
    temporary.write_text(f"{port}\n", encoding="ascii")
    temporary.replace(path)


def recorded(home: Path, name: str) -> int | None:
    """The port last recorded for a server, None when there is none (or the file is damaged)."""
    try:
        return int((home / f"{name}.port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
