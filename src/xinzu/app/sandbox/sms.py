"""The SMS twin: ``POST /sms/v1/messages``, a signed delivery callback, and the customer's phone to read the message on.

A number that ends in 0000 is a dead line: its messages come back undelivered.
"""

from __future__ import annotations

import msgspec

from xinzu.app.sandbox.deliveries import CALLBACK, Deliveries
from xinzu.app.sandbox.signed import Content, Unprocessable, conflict, decoded
from xinzu.app.sandbox.store import Store
from xinzu.kernel.errors import Invalid
from xinzu.platform.crypto.identifiers import normalize_mobile

DEAD_LINE = "0000"
INBOX_MAX = 20


class SmsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message. ``requested_at`` is the sender's business time, given back in the callback."""

    reference: str
    phone: str
    template: str
    text: str
    requested_at: str
    callback_url: str = ""


class InboxMessage(msgspec.Struct, frozen=True):
    """A message as the customer reads it."""

    message_id: str
    template: str
    text: str
    sent_at: str


class SmsTwin:
    """Accepts messages, delivers them to phones, tells their senders."""

    def __init__(self, store: Store, deliveries: Deliveries) -> None:
        self._store = store
        self._deliveries = deliveries

    def send(self, key_id: str, body: bytes) -> Content:
        """Accept a message; the callback tells whether it reached the phone."""
        message = decoded(body, SmsRequest)
        try:
            phone = normalize_mobile(message.phone)
        except Invalid:
            raise Unprocessable(422, "phone_invalid", "not a mainland mobile number") from None
        with self._store.transaction() as db:
            row = self._store.one("SELECT * FROM sms_message WHERE key_id = ? AND reference = ?", key_id, message.reference)
            if row is not None:
                if self._store.vault.open(f"sms:{row['message_id']}", row["sealed"]) != msgspec.json.encode(message):
                    raise conflict()
                return {"message_id": row["message_id"], "reference": message.reference, "status": row["status"]}
            message_id = f"sms{self._store.next_number()}"
            status = "undelivered" if phone.endswith(DEAD_LINE) else "delivered"
            sealed = self._store.vault.seal(f"sms:{message_id}", msgspec.json.encode(message))
            db.execute(
                "INSERT INTO sms_message VALUES (?, ?, ?, ?, ?, ?)",
                (message_id, key_id, message.reference, self._store.vault.blind("sms.phone", phone), sealed, status),
            )
            event = {
                "event_id": f"evt{self._store.next_number()}",
                "message_id": message_id,
                "reference": message.reference,
                "status": status,
                "occurred_at": message.requested_at,
            }
            self._deliveries.enqueue(db, CALLBACK, message.callback_url, msgspec.json.encode(event), key_id=key_id)
        self._deliveries.wake()
        return {"message_id": message_id, "reference": message.reference, "status": "accepted"}

    def found(self, key_id: str, message_id: str) -> Content:
        """What became of a message."""
        row = self._store.one("SELECT * FROM sms_message WHERE key_id = ? AND message_id = ?", key_id, message_id)
        if row is None:
            raise Unprocessable(404, "message_not_found", "no such message")
        return {"message_id": message_id, "reference": row["reference"], "status": row["status"]}

    def inbox(self, phone: str) -> list[InboxMessage]:
        """The customer's phone, newest first: where a one-time code is read in the demo and in tests."""
        rows = self._store.many(
            "SELECT * FROM sms_message WHERE phone_blind = ? AND status = 'delivered' ORDER BY message_id DESC LIMIT ?",
            self._store.vault.blind("sms.phone", phone),
            INBOX_MAX,
        )
        found = []
        for row in rows:
            message = msgspec.json.decode(self._store.vault.open(f"sms:{row['message_id']}", row["sealed"]), type=SmsRequest)
            found.append(InboxMessage(row["message_id"], message.template, message.text, message.requested_at))
        return found
