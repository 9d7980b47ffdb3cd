"""A rented phone with its agent, and a fleet of them: real MQTT 3.1.1 clients that trust nobody but the keys they pinned.

The agent is written on its own and not from the product's rules, so that each checks the other. It obeys a command only when a pinned
key signed it, it names this device, its counter is newer, its time has not passed, and emergency calls stay possible. It answers under
its own key. Key, counter and level live in one file per phone, so a restart changes nothing.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gmqtt
import structlog
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.handler import MQTTConnectError

from xinzu.kernel.time import Clock, SystemClock
from xinzu.platform.business_clock import first_offset, follow
from xinzu.platform.crypto.signing import KeyUnusable, ed25519_public_key, ed25519_sign, ed25519_verify, new_ed25519_seed
from xinzu.platform.runtime import Database
from xinzu.platform.servers.ports import recorded
from xinzu.platform.servers.roles import database_urls
from xinzu.platform.settings import Settings

log = structlog.get_logger(__name__)

LEVELS = ("free", "remind", "limit", "lock")
EMERGENCY_NUMBERS = frozenset({"110", "119", "120", "122"})
KEEPALIVE_S = 60
RECONNECT_FIRST_S = 0.2
RECONNECT_MAX_S = 5.0
SCAN_S = 1.0


def phones_folder(home: Path) -> Path:
    """Where the phones of a sandbox keep their memory."""
    return home / "sandbox" / "phones"


@dataclass
class Memory:
    """What a phone keeps across restarts. ``pinned`` maps key numbers to public keys in hex; empty until it is enrolled."""

    serial: str
    seed: str = field(repr=False)
    tenant: str = ""
    device: str = ""
    password: str = field(default="", repr=False)
    pinned: dict[str, str] = field(default_factory=dict)
    level: str = "free"
    counter: int = 0
    sequence: int = 0
    emergency_numbers: list[str] = field(default_factory=lambda: sorted(EMERGENCY_NUMBERS))
    last_command_id: str = ""

    @property
    def is_enrolled(self) -> bool:
        return bool(self.device and self.pinned)

    @property
    def public_key(self) -> bytes:
        return ed25519_public_key(bytes.fromhex(self.seed))


def remember(folder: Path, memory: Memory) -> None:
    """Write a phone's memory in one step, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{memory.serial}.json"
    draft = path.with_suffix(f".{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(memory), file)
    draft.replace(path)


def recall(folder: Path, serial: str) -> Memory | None:
    """A phone's memory, None for one that was never switched on."""
    try:
        return Memory(**json.loads((folder / f"{serial}.json").read_text()))
    except FileNotFoundError:
        return None


def switch_on(folder: Path, serial: str) -> bytes:
    """The first start of a phone: it makes its key; returns the public half, to be enrolled. Again: the same key."""
    memory = recall(folder, serial)
    if memory is None:
        memory = Memory(serial=serial, seed=new_ed25519_seed().hex())
        remember(folder, memory)
    return memory.public_key


def set_up(folder: Path, serial: str, *, tenant: str, device: str, password: str, pinned: Mapping[int, str]) -> None:
    """The end of the enrolment: who the phone is, how it logs in, whose commands it obeys (key number to public key in hex).

    A phone enrolled as a new device begins anew with its counters.
    """
    memory = recall(folder, serial)
    if memory is None:
        raise LookupError(f"the phone {serial} was never switched on")
    if memory.device != device:
        memory.level, memory.counter, memory.sequence, memory.last_command_id = "free", 0, 0, ""
    memory.tenant, memory.device, memory.password = tenant, device, password
    memory.pinned = {str(number): key for number, key in pinned.items()}
    remember(folder, memory)


class Refused(Exception):
    """The agent does not obey. ``is_answered`` when the command was believed and is told off; a forged one gets silence."""

    def __init__(self, reason: str, *, is_answered: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_answered = is_answered


class Phone:
    """One phone: what it shows, whom it can call, how it deals with a command. ``clock`` is the phone's own."""

    def __init__(self, folder: Path, memory: Memory, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.memory = memory
        self.forged = 0

    @property
    def level(self) -> str:
        return self.memory.level

    def can_call(self, number: str) -> bool:
        """Whether a call goes out. Locked, only the emergency numbers do; they always do."""
        return self.memory.level != "lock" or number in self.memory.emergency_numbers or number in EMERGENCY_NUMBERS

    def hello(self) -> bytes:
        """What it says when it comes online."""
        return self._say("hello")

    def obey(self, payload: bytes) -> bytes | None:
        """Deal with a command as it came; the signed answer, or None for what is not to be believed."""
        command: dict[str, Any] = {}
        try:
            command = self._believed(payload)
            command_id = str(command["command_id"])
            if command_id == self.memory.last_command_id:
                return self._say("ack", command_id, "applied")  # our answer was lost: say it again
            self._check(command)
        except Refused as refused:
            if not refused.is_answered:
                self.forged += 1
                return None
            return self._say("ack", str(command["command_id"]), "refused", refused.reason)
        self.memory.level = command["level"]
        self.memory.counter = command["counter"]
        self.memory.emergency_numbers = list(command["policy"]["emergency_numbers"])
        self.memory.last_command_id = command_id
        return self._say("ack", command_id, "applied")

    def _believed(self, payload: bytes) -> dict[str, Any]:
        """The command, when a pinned key signed exactly these bytes for this device."""
        try:
            outer = json.loads(payload)
            body = base64.b64decode(outer["body"], validate=True)
            signature = base64.b64decode(outer["signature"], validate=True)
            key = bytes.fromhex(self.memory.pinned[str(outer["key"])])
            if not ed25519_verify(key, body, signature):
                raise Refused("bad_signature", is_answered=False)
            command = json.loads(body)
            if json.dumps(command, sort_keys=True, separators=(",", ":")).encode() != body:
                raise Refused("not_canonical", is_answered=False)
            if (command["tenant"], command["device"]) != (self.memory.tenant, self.memory.device):
                raise Refused("wrong_device", is_answered=False)
            return dict(command)
        except (ValueError, KeyError, TypeError, RecursionError, KeyUnusable):
            raise Refused("malformed", is_answered=False) from None

    def _check(self, command: Mapping[str, Any]) -> None:
        """Whether a believed command is to be obeyed."""
        if command["counter"] <= self.memory.counter:
            raise Refused("old_counter", is_answered=True)
        if command["expires_at"] <= self._clock.now().timestamp():
            raise Refused("expired", is_answered=True)
        if command["level"] not in LEVELS:
            raise Refused("unknown_level", is_answered=True)
        if not set(command["policy"]["emergency_numbers"]) >= EMERGENCY_NUMBERS:
            raise Refused("no_emergency_calls", is_answered=True)

    def _say(self, kind: str, command_id: str = "", result: str = "", reason: str = "") -> bytes:
        """A signed report. What it changes is on disk before the words leave, so a crash cannot make it say less than it did."""
        self.memory.sequence += 1
        body = json.dumps(
            {
                "at": int(self._clock.now().timestamp()),
                "command_id": command_id,
                "counter": self.memory.counter,
                "device": self.memory.device,
                "kind": kind,
                "level": self.memory.level,
                "reason": reason,
                "result": result,
                "sequence": self.memory.sequence,
                "tenant": self.memory.tenant,
                "v": 1,
            },
            sort_keys=True,
            separators=(",", ":"),
        ).encode()
        remember(self._folder, self.memory)
        signature = ed25519_sign(bytes.fromhex(self.memory.seed), body)
        return json.dumps({"body": base64.b64encode(body).decode(), "signature": base64.b64encode(signature).decode()}).encode()


class OnlinePhone:
    """A phone on the network: logs in, says hello, obeys, and comes back by itself."""

    def __init__(self, phone: Phone, host: str, port: Callable[[], int]) -> None:
        self.phone = phone
        self._host = host
        self._port = port
        self.is_online = False

    async def run(self) -> None:
        """Stay online until cancelled."""
        wait_s = RECONNECT_FIRST_S
        while True:
            try:
                await self._stay()
                wait_s = RECONNECT_FIRST_S
            except (OSError, TimeoutError, MQTTConnectError) as error:
                log.debug("phone is offline", serial=self.phone.memory.serial, reason=type(error).__name__)
                wait_s = min(wait_s * 2, RECONNECT_MAX_S)
            await asyncio.sleep(wait_s)

    async def _stay(self) -> None:
        memory = self.phone.memory
        name = f"{memory.tenant}/{memory.device}"
        commands, reports = f"d/{name}/cmd", f"d/{name}/up"
        subscribed, lost = asyncio.Event(), asyncio.Event()
        client: Any = gmqtt.Client(name, clean_session=True)  # type: ignore[no-untyped-call]
        client.set_config({"reconnect_retries": 0})

        def on_message(_client: object, _topic: str, payload: bytes, _qos: int, _properties: object) -> int:
            answer = self.phone.obey(payload)
            if answer is not None:
                client.publish(reports, answer, qos=0)
            return 0

        client.on_message = on_message
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_disconnect = lambda *_: lost.set()
        client.set_auth_credentials(name, memory.password)
        try:
            await asyncio.wait_for(client.connect(self._host, self._port(), keepalive=KEEPALIVE_S, version=MQTTv311), 10)
            client.subscribe(commands, qos=0)
            await asyncio.wait_for(subscribed.wait(), 10)
            client.publish(reports, self.phone.hello(), qos=0)
            self.is_online = True
            await lost.wait()
        finally:
            self.is_online = False
            with suppress(OSError, asyncio.CancelledError):
                await client.disconnect()


class PhoneFleet:
    """Every phone of a sandbox in one process. A phone goes online when it is enrolled: its file is looked for each second.

    ``port`` gives the broker's MQTT port anew for each connection, because an embedded server may have moved to another.
    """

    def __init__(self, home: Path, clock: Clock, host: str, port: Callable[[], int]) -> None:
        self._folder = phones_folder(home)
        self._clock = clock
        self._host = host
        self._port = port
        self._online: dict[str, tuple[OnlinePhone, asyncio.Task[None]]] = {}
        self._looked_at: dict[str, int] = {}

    def phone(self, serial: str) -> Phone | None:
        """A phone that is in use, or None."""
        found = self._online.get(serial)
        return None if found is None else found[0].phone

    def is_online(self, serial: str) -> bool:
        found = self._online.get(serial)
        return found is not None and found[0].is_online

    def look(self) -> None:
        """Switch on the phones that were enrolled since the last look, anew those that became another device."""
        if not self._folder.is_dir():
            return
        for path in sorted(self._folder.glob("*.json")):
            changed_at = path.stat().st_mtime_ns
            if self._looked_at.get(path.stem) == changed_at:
                continue
            self._looked_at[path.stem] = changed_at
            memory = recall(self._folder, path.stem)
            running = self._online.get(path.stem)
            if memory is None or not memory.is_enrolled:
                continue
            if running is not None:
                if running[0].phone.memory.device == memory.device:
                    continue
                running[1].cancel()
            online = OnlinePhone(Phone(self._folder, memory, self._clock), self._host, self._port)
            self._online[path.stem] = (online, asyncio.create_task(online.run()))

    async def run(self) -> None:
        """Look for phones and keep them online until cancelled."""
        try:
            while True:
                self.look()
                await asyncio.sleep(SCAN_S)
        finally:
            await self.close()

    async def close(self) -> None:
        """Switch every phone off."""
        tasks = [task for _, task in self._online.values()]
        self._online.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def keep_phones(settings: Settings) -> None:
    """The sandbox's fleet until cancelled: phones on the embedded broker, with the business clock as their own."""
    database = Database(database_urls(settings).app.get_secret_value(), pool_size=1)
    clock = SystemClock(await first_offset(database))
    fleet = PhoneFleet(settings.home, clock, settings.mqtt_host, lambda: recorded(settings.home, "mqtt") or settings.mqtt_port)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(follow(database, clock))
            group.create_task(fleet.run())
    finally:
        await database.dispose()
