"""The courier twin: shipments booked over the signed contract, moved by ``/control/courier``, told of by signed callbacks.

booked → picked_up → in_transit → signed_for; a parcel may instead be ``returned`` or ``lost`` on its way.
"""

from __future__ import annotations

import sqlite3
from enum import StrEnum

import msgspec

from xinzu.app.sandbox.deliveries import CALLBACK, Deliveries
from xinzu.app.sandbox.signed import Content, Unprocessable, conflict, decoded, digest
from xinzu.app.sandbox.store import Store
from xinzu.kernel.states import IllegalMove, Transitions


class ParcelStatus(StrEnum):
    """Where a parcel is."""

    BOOKED = "booked"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    SIGNED_FOR = "signed_for"
    RETURNED = "returned"
    LOST = "lost"


PARCEL_MOVES = Transitions(
    "parcel",
    {
        ParcelStatus.BOOKED: {ParcelStatus.PICKED_UP},
        ParcelStatus.PICKED_UP: {ParcelStatus.IN_TRANSIT, ParcelStatus.LOST},
        ParcelStatus.IN_TRANSIT: {ParcelStatus.SIGNED_FOR, ParcelStatus.RETURNED, ParcelStatus.LOST},
        ParcelStatus.SIGNED_FOR: set(),
        ParcelStatus.RETURNED: set(),
        ParcelStatus.LOST: set(),
    },
)
_NEXT = {
    ParcelStatus.BOOKED: ParcelStatus.PICKED_UP,
    ParcelStatus.PICKED_UP: ParcelStatus.IN_TRANSIT,
    ParcelStatus.IN_TRANSIT: ParcelStatus.SIGNED_FOR,
}


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to fetch from or bring to."""

    name: str
    phone: str
    address: str


class ShipmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One parcel. ``requested_at`` is the sender's business time."""

    reference: str
    sender: Contact
    recipient: Contact
    item: str
    requested_at: str
    callback_url: str = ""
    insured_fen: int = 0


class CourierTwin:
    """Books parcels, moves them when told to, tells their owners."""

    def __init__(self, store: Store, deliveries: Deliveries) -> None:
        self._store = store
        self._deliveries = deliveries

    def book(self, key_id: str, body: bytes) -> Content:
        """Accept a parcel. Names and addresses are not kept."""
        request = decoded(body, ShipmentRequest)
        with self._store.transaction() as db:
            row = self._store.one("SELECT * FROM courier_shipment WHERE key_id = ? AND reference = ?", key_id, request.reference)
            if row is None:
                shipment_id = f"SX{self._store.next_number()}"
                db.execute(
                    "INSERT INTO courier_shipment VALUES (?, ?, ?, ?, ?, ?)",
                    (shipment_id, key_id, request.reference, self._digest(request), request.callback_url, ParcelStatus.BOOKED),
                )
                self._record(db, shipment_id, ParcelStatus.BOOKED, request.requested_at)
                return {"shipment_id": shipment_id, "reference": request.reference, "status": ParcelStatus.BOOKED}
        if row["request_sha256"] != self._digest(request):
            raise conflict()
        return {"shipment_id": row["shipment_id"], "reference": row["reference"], "status": row["status"]}

    def found(self, key_id: str, shipment_id: str) -> Content:
        """Where a parcel is and has been."""
        row = self._store.one("SELECT * FROM courier_shipment WHERE key_id = ? AND shipment_id = ?", key_id, shipment_id)
        if row is None:
            raise Unprocessable(404, "shipment_not_found", "no such shipment")
        events = self._store.many("SELECT * FROM courier_event WHERE shipment_id = ? ORDER BY sequence", shipment_id)
        return {
            "shipment_id": shipment_id,
            "reference": row["reference"],
            "status": row["status"],
            "events": [{"status": event["status"], "occurred_at": event["occurred_at"]} for event in events],
        }

    def move(self, shipment_id: str, target: ParcelStatus, occurred_at: str) -> Content:
        """Move one parcel and tell its owner. Raises Unprocessable for an unknown parcel or an impossible move."""
        with self._store.transaction() as db:
            row = self._store.one("SELECT * FROM courier_shipment WHERE shipment_id = ?", shipment_id)
            if row is None:
                raise Unprocessable(404, "shipment_not_found", "no such shipment")
            if row["status"] != target:
                try:
                    PARCEL_MOVES.move(ParcelStatus(row["status"]), target)
                except IllegalMove as refused:
                    raise Unprocessable(409, "illegal_move", refused.detail_en) from None
                self._moved(db, row, target, occurred_at)
        self._deliveries.wake()
        return {"shipment_id": shipment_id, "reference": row["reference"], "status": target}

    def advance(self, occurred_at: str, limit: int = 1000) -> Content:
        """Every parcel on its way takes its next ordinary step: the couriers' working day."""
        with self._store.transaction() as db:
            rows = self._store.many(
                "SELECT * FROM courier_shipment WHERE status IN ('booked', 'picked_up', 'in_transit') "
                "ORDER BY shipment_id LIMIT ?",
                limit,
            )
            for row in rows:
                self._moved(db, row, _NEXT[ParcelStatus(row["status"])], occurred_at)
        self._deliveries.wake()
        return {"moved": len(rows)}

    def _moved(self, db: sqlite3.Connection, row: sqlite3.Row, target: ParcelStatus, occurred_at: str) -> None:
        db.execute("UPDATE courier_shipment SET status = ? WHERE shipment_id = ?", (target, row["shipment_id"]))
        sequence = self._record(db, row["shipment_id"], target, occurred_at)
        event = {
            "event_id": f"{row['shipment_id']}-{sequence}",
            "shipment_id": row["shipment_id"],
            "reference": row["reference"],
            "sequence": sequence,
            "status": target,
            "occurred_at": occurred_at,
        }
        self._deliveries.enqueue(db, CALLBACK, row["callback_url"], msgspec.json.encode(event), key_id=row["key_id"])

    def _digest(self, request: ShipmentRequest) -> str:
        """Keyed: a phone and an address are few enough to be found from a bare digest."""
        return self._store.vault.blind("courier.request", digest(request)).hex()

    @staticmethod
    def _record(db: sqlite3.Connection, shipment_id: str, status: ParcelStatus, occurred_at: str) -> int:
        row = db.execute(
            "INSERT INTO courier_event SELECT ?1, coalesce(max(sequence), 0) + 1, ?2, ?3 FROM courier_event "
            "WHERE shipment_id = ?1 RETURNING sequence",
            (shipment_id, status, occurred_at),
        ).fetchone()
        return int(row["sequence"])
