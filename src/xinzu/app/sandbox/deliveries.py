"""Notifications and callbacks: written with the change they tell of, sent until the receiver accepts them.

Alipay's own schedule is 4, 10, 10 minutes, 1, 2, 6, 15 hours; ``retry_scale`` shortens it. A notification is accepted by a plain
``success``, a signed callback by any 2xx. Delivery is at least once and not in order, as with the real ones.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import structlog

from xinzu.app.sandbox.merchants import Merchants
from xinzu.app.sandbox.store import Store
from xinzu.kernel.time import SystemClock
from xinzu.platform.signed_http import signed_headers

log = structlog.get_logger(__name__)

NOTIFY = "notify"
CALLBACK = "callback"
RETRY_AFTER_S = (240, 600, 600, 3600, 7200, 21600, 54000)
RETRY_SCALE_DEFAULT = 0.005
ATTEMPTS_MAX = len(RETRY_AFTER_S) + 1
ACCEPTED_KEPT_S = 24 * 3600
PARALLEL_MAX = 16
RECEIVER_TIMEOUT_S = 10.0
_CONTENT_TYPES = {NOTIFY: "application/x-www-form-urlencoded;charset=utf-8", CALLBACK: "application/json"}


class Deliveries:
    """The outgoing side of the sandbox. ``enqueue`` inside a transaction, ``wake`` after its commit."""

    def __init__(self, store: Store, merchants: Merchants, retry_scale: float = RETRY_SCALE_DEFAULT) -> None:
        self._store = store
        self._merchants = merchants
        self._retry_scale = retry_scale
        self._clock = SystemClock()
        self._wake = asyncio.Event()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._finished = asyncio.Event()

    @staticmethod
    def enqueue(
        db: sqlite3.Connection,
        kind: str,
        url: str,
        body: bytes,
        *,
        key_id: str = "",
        delay_s: float = 0.0,
        attempts_max: int = ATTEMPTS_MAX,
    ) -> None:
        """Write one delivery. An empty url is a merchant who wants none."""
        if url:
            db.execute(
                "INSERT INTO delivery (kind, key_id, url, body, attempts, attempts_max, next_at, state, outcome) "
                "VALUES (?, ?, ?, ?, 0, ?, ?, 'waiting', '')",
                (kind, key_id, url, body, attempts_max, time.time() + delay_s),
            )

    def wake(self) -> None:
        """There is something new to send."""
        self._wake.set()

    def waiting(self) -> int:
        """How many are not yet accepted or given up."""
        row = self._store.one("SELECT count(*) AS count FROM delivery WHERE state = 'waiting'")
        return int(row["count"]) if row else 0

    async def waiting_after(self, seconds: float) -> int:
        """The same, told as soon as there are none, at the latest after so long."""
        until = time.monotonic() + seconds
        while (count := self.waiting()) and (left := until - time.monotonic()) > 0:
            self._finished.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._finished.wait(), left)
        return count

    async def run(self) -> None:
        """Send what is due until cancelled."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM delivery WHERE state = 'accepted' AND next_at < ?", (time.time() - ACCEPTED_KEPT_S,))
        limits = httpx.Limits(max_connections=PARALLEL_MAX, max_keepalive_connections=PARALLEL_MAX)
        async with httpx.AsyncClient(timeout=RECEIVER_TIMEOUT_S, limits=limits, trust_env=False) as client:
            try:
                while True:
                    self._wake.clear()
                    self._start_due(client)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), self._pause_s())
            finally:
                for task in self._in_flight.values():
                    task.cancel()

    def _start_due(self, client: httpx.AsyncClient) -> None:
        room = PARALLEL_MAX - len(self._in_flight)
        if room <= 0:
            return
        due = self._store.many(
            "SELECT * FROM delivery WHERE state = 'waiting' AND next_at <= ? ORDER BY next_at, id LIMIT ?",
            time.time(),
            room + len(self._in_flight),
        )
        for row in due:
            if row["id"] not in self._in_flight:
                self._in_flight[row["id"]] = asyncio.create_task(self._attempt(client, row))

    def _pause_s(self) -> float:
        """Until the next one is due; a finished attempt or a new delivery wakes earlier."""
        if len(self._in_flight) >= PARALLEL_MAX:
            return 60.0
        row = self._store.one(
            "SELECT min(next_at) AS at FROM delivery WHERE state = 'waiting' AND next_at > ?",
            time.time() if self._in_flight else 0,
        )
        return 60.0 if row is None or row["at"] is None else min(max(row["at"] - time.time(), 0.001), 60.0)

    async def _attempt(self, client: httpx.AsyncClient, row: sqlite3.Row) -> None:
        try:
            accepted, outcome = await self._send(client, row)
            attempts = row["attempts"] + 1
            given_up = not accepted and attempts >= row["attempts_max"]
            state = "accepted" if accepted else "given_up" if given_up else "waiting"
            wait_s = 0.0 if state != "waiting" else RETRY_AFTER_S[min(attempts, len(RETRY_AFTER_S)) - 1] * self._retry_scale
            with self._store.transaction() as db:
                db.execute(
                    "UPDATE delivery SET attempts = ?, state = ?, outcome = ?, next_at = ? WHERE id = ?",
                    (attempts, state, outcome, time.time() + wait_s, row["id"]),
                )
            if not accepted:
                log.info("delivery_refused", kind=row["kind"], outcome=outcome, attempts=attempts, given_up=given_up)
        finally:
            self._in_flight.pop(row["id"], None)
            self._wake.set()
            self._finished.set()

    async def _send(self, client: httpx.AsyncClient, row: sqlite3.Row) -> tuple[bool, str]:
        headers = {"content-type": _CONTENT_TYPES[row["kind"]]}
        if row["kind"] == CALLBACK:
            peer = self._merchants.signed(row["key_id"])
            if peer is None:
                return False, "the client is no longer registered"
            parts = urlsplit(row["url"])
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            # Signed at each attempt, because a signature is fresh for five minutes only.
            headers |= signed_headers(peer.key_id, peer.secret, "POST", target, row["body"], self._clock.now())
        try:
            response = await client.post(row["url"], content=row["body"], headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return False, type(error).__name__
        if row["kind"] == NOTIFY:
            return (
                response.status_code == 200 and response.text.strip() == "success",
                f"{response.status_code} {response.text[:60]}",
            )
        return response.is_success, str(response.status_code)
