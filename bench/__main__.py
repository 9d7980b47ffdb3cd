"""``python -m bench [name …]``: run the measurements, all in this one run, and print medians and ratios."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module

import uvloop

BENCHES = ("schedules", "replay", "backtest", "models", "ledger", "billing", "evidence", "intake", "pipeline", "indicators")


def main() -> None:
    chosen = sys.argv[1:] or BENCHES
    unknown = set(chosen) - set(BENCHES)
    if unknown:
        sys.exit(f"no bench called {', '.join(sorted(unknown))}: choose from {', '.join(BENCHES)}")
    for name in chosen:
        print(f"\n== {name} ==", flush=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(import_module(f"bench.bench_{name}").main())


if __name__ == "__main__":
    main()
