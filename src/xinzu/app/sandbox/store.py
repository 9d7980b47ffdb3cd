"""The twins' memory: one SQLite file, one connection, used from the event loop only.

WAL with synchronous=NORMAL survives the death of the process (not of the machine's power), and a transaction costs microseconds.
What people told a provider (phones, messages, identity numbers) is sealed or kept as a digest here too.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xinzu.platform.crypto.vault import TenantVault

STORE_FILE = "sandbox.db"
KEY_FILE = "sandbox.key"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS alipay_order (
    app_id TEXT NOT NULL, out_order_no TEXT NOT NULL, out_request_no TEXT NOT NULL, auth_no TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL, buyer_id TEXT NOT NULL, seller_id TEXT NOT NULL, notify_url TEXT NOT NULL, status TEXT NOT NULL,
    amount_fen INTEGER NOT NULL, credit_fen INTEGER NOT NULL, expires_at TEXT NOT NULL, gmt_create TEXT NOT NULL,
    rest_fen INTEGER NOT NULL DEFAULT 0, rest_credit_fen INTEGER NOT NULL DEFAULT 0,
    frozen_fen INTEGER NOT NULL DEFAULT 0, frozen_credit_fen INTEGER NOT NULL DEFAULT 0,
    paid_fen INTEGER NOT NULL DEFAULT 0, paid_credit_fen INTEGER NOT NULL DEFAULT 0,
    unfrozen_fen INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (app_id, out_order_no),
    CHECK (rest_fen >= 0 AND rest_credit_fen BETWEEN 0 AND rest_fen AND frozen_fen = rest_fen + paid_fen + unfrozen_fen)
) STRICT;
CREATE TABLE IF NOT EXISTS alipay_operation (
    operation_id TEXT PRIMARY KEY, auth_no TEXT NOT NULL, out_request_no TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
    amount_fen INTEGER NOT NULL, credit_fen INTEGER NOT NULL, gmt_create TEXT NOT NULL, gmt_trans TEXT NOT NULL,
    remark TEXT NOT NULL, UNIQUE (auth_no, out_request_no, type)
) STRICT;
CREATE TABLE IF NOT EXISTS alipay_trade (
    app_id TEXT NOT NULL, out_trade_no TEXT NOT NULL, trade_no TEXT NOT NULL UNIQUE, auth_no TEXT NOT NULL,
    buyer_id TEXT NOT NULL, seller_id TEXT NOT NULL, subject TEXT NOT NULL, notify_url TEXT NOT NULL, status TEXT NOT NULL,
    amount_fen INTEGER NOT NULL, refunded_fen INTEGER NOT NULL DEFAULT 0, gmt_create TEXT NOT NULL, gmt_payment TEXT NOT NULL,
    PRIMARY KEY (app_id, out_trade_no), CHECK (refunded_fen BETWEEN 0 AND amount_fen)
) STRICT;
CREATE TABLE IF NOT EXISTS alipay_refund (
    trade_no TEXT NOT NULL, out_request_no TEXT NOT NULL, amount_fen INTEGER NOT NULL, gmt_refund TEXT NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (trade_no, out_request_no)
) STRICT;
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key_id TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL,
    attempts INTEGER NOT NULL, attempts_max INTEGER NOT NULL, next_at REAL NOT NULL, state TEXT NOT NULL, outcome TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (next_at) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL, method TEXT NOT NULL, times INTEGER NOT NULL,
    delay_s REAL NOT NULL, credit_fen INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS nonce (
    key_id TEXT NOT NULL, nonce TEXT NOT NULL, seen_at REAL NOT NULL, PRIMARY KEY (key_id, nonce)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sms_message (
    message_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, reference TEXT NOT NULL, phone_blind BLOB NOT NULL, sealed BLOB NOT NULL,
    status TEXT NOT NULL, UNIQUE (key_id, reference)
) STRICT;
CREATE INDEX IF NOT EXISTS sms_inbox ON sms_message (phone_blind);
CREATE TABLE IF NOT EXISTS courier_shipment (
    shipment_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, reference TEXT NOT NULL, request_sha256 TEXT NOT NULL,
    callback_url TEXT NOT NULL, status TEXT NOT NULL, UNIQUE (key_id, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS courier_event (
    shipment_id TEXT NOT NULL, sequence INTEGER NOT NULL, status TEXT NOT NULL, occurred_at TEXT NOT NULL,
    PRIMARY KEY (shipment_id, sequence)
) STRICT;
CREATE TABLE IF NOT EXISTS identity_check (
    check_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, reference TEXT NOT NULL, request_sha256 TEXT NOT NULL,
    passed INTEGER NOT NULL, code TEXT NOT NULL, UNIQUE (key_id, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS score_answer (
    result_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, reference TEXT NOT NULL, request_sha256 TEXT NOT NULL, answer TEXT NOT NULL,
    UNIQUE (key_id, reference)
) STRICT;
CREATE TABLE IF NOT EXISTS score_person (person_blind BLOB PRIMARY KEY, profile TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity_refused (identity_blind BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
"""


class Store:
    """The open file. ``transaction`` is the only way to write."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        key = _key(folder / KEY_FILE)
        self.db = sqlite3.connect(folder / STORE_FILE, isolation_level=None, check_same_thread=False, cached_statements=256)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("PRAGMA busy_timeout=5000")
        self.db.executescript(_SCHEMA)
        self.vault = TenantVault(0, {1: key}, key)
        self._last_number = 0

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def many(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """All rows."""
        return self.db.execute(sql, values).fetchall()

    def next_number(self) -> int:
        """A growing 16-digit number, unique across restarts: microseconds of the wall clock, never twice the same."""
        self._last_number = max(self._last_number + 1, time.time_ns() // 1000)
        return self._last_number

    def close(self) -> None:
        self.db.close()


def _key(path: Path) -> bytes:
    """The key the twins seal personal data with, made at the first start."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        key = os.urandom(32)
        file.write(key)
    return key
