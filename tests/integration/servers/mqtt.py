"""A few packets of MQTT 3.1.1 by hand, to see exactly what the broker answers."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass

REFUSED = 5
BAD_CLIENT_ID = 2
ACCEPTED = 0
SUBSCRIPTION_FAILED = 0x80


@dataclass
class Device:
    """A connection that logged in."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def subscribe(self, topic: str) -> int:
        """The granted QoS, or 0x80."""
        body = struct.pack(">H", 1) + _text(topic) + b"\0"
        self.writer.write(bytes([0x82, len(body)]) + body)
        return (await asyncio.wait_for(self.reader.readexactly(5), 5))[4]

    def publish(self, topic: str, payload: bytes) -> None:
        body = _text(topic) + payload
        self.writer.write(bytes([0x30, len(body)]) + body)

    async def receive(self) -> bytes:
        """The payload of the next QoS 0 message."""
        head = await asyncio.wait_for(self.reader.readexactly(2), 5)
        body = await self.reader.readexactly(head[1])
        return body[2 + struct.unpack(">H", body[:2])[0] :]

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def connect(port: int, user: str, password: str, client_id: str) -> tuple[int, Device]:
    """Log in; the broker's return code and the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = _text("MQTT") + bytes([4, 0xC2]) + struct.pack(">H", 60) + _text(client_id) + _text(user) + _text(password)
    writer.write(bytes([0x10, len(body)]) + body)
    answer = await asyncio.wait_for(reader.read(16), 10)
    return answer.lstrip(b" ")[-1], Device(reader, writer)


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw
