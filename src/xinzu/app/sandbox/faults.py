"""Behaviour that can be asked for, by buyer: what goes wrong, how often. Kept in the store, so a restart does not heal anyone.

A fault's ``subject`` is a buyer id, or ``*`` for everyone (a maintenance window); ``method`` narrows it to one gateway method;
``times`` is how often it strikes, 0 meaning until it is removed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from xinzu.app.sandbox.store import Store

EVERYONE = "*"


class FaultKind(StrEnum):
    """What goes wrong."""

    INSUFFICIENT_BALANCE = "insufficient_balance"  # alipay.trade.pay is refused for want of money
    FREEZE_REFUSED = "freeze_refused"  # the wallet refuses the pre-authorisation
    CREDIT_LIMIT = "credit_limit"  # only credit_fen is waived on credit, the rest of the deposit is really frozen
    NO_REPLY = "no_reply"  # done, and then the connection is dropped before the answer
    HANG = "hang"  # done, and then no answer until the caller gives up
    BUSY = "busy"  # code 20000, nothing done
    BUSY_AFTER = "busy_after"  # code 20000 although it was done
    FORGED_REPLY = "forged_reply"  # done, and answered under a signature that does not fit
    DUPLICATE_NOTIFY = "duplicate_notify"  # the notification is sent twice
    LATE_NOTIFY = "late_notify"  # the notification is held back for delay_s, so that later ones overtake it
    LOST_NOTIFY = "lost_notify"  # no notification at all
    FORGED_NOTIFY = "forged_notify"  # a notification with a wrong signature comes before the true one


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule of the table."""

    id: int
    subject: str
    kind: FaultKind
    method: str
    times: int
    delay_s: float
    credit_fen: int


class Faults:
    """The table, in memory and in the store. A buyer without faults costs one dictionary look-up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_subject: dict[str, list[Fault]] = {}
        self._load()

    def add(
        self, subject: str, kind: FaultKind, *, method: str = "", times: int = 1, delay_s: float = 1.0, credit_fen: int = 0
    ) -> Fault:
        """Ask for a behaviour."""
        with self._store.transaction() as db:
            row = db.execute(
                "INSERT INTO fault (subject, kind, method, times, delay_s, credit_fen) VALUES (?, ?, ?, ?, ?, ?)",
                (subject, kind, method, times, delay_s, credit_fen),
            )
        fault = Fault(int(row.lastrowid or 0), subject, kind, method, times, delay_s, credit_fen)
        self._by_subject.setdefault(subject, []).append(fault)
        return fault

    def remove(self, subject: str) -> None:
        """Heal a buyer."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM fault WHERE subject = ?", (subject,))
        self._by_subject.pop(subject, None)

    def listed(self) -> list[Fault]:
        """All that are still to strike."""
        return [fault for faults in self._by_subject.values() for fault in faults]

    def strike(self, subject: str, method: str, *kinds: FaultKind) -> Fault | None:
        """The first fault of these kinds that applies, counted down; None when all goes well."""
        if not self._by_subject:
            return None
        with self._store.transaction() as db:
            return self.strike_within(db, subject, method, *kinds)

    def strike_within(self, db: sqlite3.Connection, subject: str, method: str, *kinds: FaultKind) -> Fault | None:
        """``strike`` inside the caller's transaction, which is then sure to commit."""
        for key in (subject, EVERYONE):
            for fault in self._by_subject.get(key, ()):
                if fault.kind in kinds and fault.method in ("", method):
                    self._count_down(db, fault)
                    return fault
        return None

    def _count_down(self, db: sqlite3.Connection, fault: Fault) -> None:
        if fault.times == 0:
            return
        if fault.times == 1:
            db.execute("DELETE FROM fault WHERE id = ?", (fault.id,))
        else:
            db.execute("UPDATE fault SET times = times - 1 WHERE id = ?", (fault.id,))
        self._load()

    def _load(self) -> None:
        self._by_subject = {}
        for row in self._store.many("SELECT * FROM fault ORDER BY id"):
            fault = Fault(
                row["id"], row["subject"], FaultKind(row["kind"]), row["method"], row["times"], row["delay_s"], row["credit_fen"]
            )
            self._by_subject.setdefault(fault.subject, []).append(fault)
