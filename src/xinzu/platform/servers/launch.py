"""Run by ``process.spawn`` as a script between fork and the real program (Linux): change the account, ask to be signalled when
the parent dies, become the program. Standard library only, started with ``-I -S``: a few milliseconds.

Arguments: signal number, parent pid, uid, gid (-1: keep the account), then the program and its arguments.

A script of its own instead of ``preexec_fn``, which runs Python in a forked copy of a threaded process. The account changes
first, because that change clears the request to be signalled.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the program; does not return."""
    death_signal, parent_pid, uid, gid = (int(text) for text in arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before we asked
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 (the command line of our own supervisor)


if __name__ == "__main__":
    main(sys.argv[1:])
