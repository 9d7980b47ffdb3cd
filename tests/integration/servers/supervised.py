"""A supervisor over two children that only sleep, run as a process of its own by the tests: ``python supervised.py HOME``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from xinzu.app.supervisor import Child, Supervisor, command
from xinzu.platform.servers.home import CannotStart, prepare_home

SLEEP = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def sleeper(name: str, code: str = SLEEP) -> Child:
    return command(name, [sys.executable, "-S", "-c", code], dict(os.environ), None)


def main(home: Path) -> None:
    try:
        with Supervisor(prepare_home(home), lambda line: print(line, flush=True)) as supervisor:  # noqa: T201
            supervisor.start(sleeper("first"), sleeper("second"))
            supervisor.facts["ports"] = {"api": 1}
            supervisor.run()
    except CannotStart as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
