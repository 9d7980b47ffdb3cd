"""Devices as they are asked for and answered. Keys are hex."""

from __future__ import annotations

from typing import Annotated

import msgspec

from xinzu.back.devices.model import CommandRecord, Device, DeviceKind, HoldKind, Level
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.time import Instant
from xinzu.platform.http.fields import ONE_LINE, Hex32, PublicId


class Enrolment(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A terminal presents itself: the asset it sits in and the public half of the Ed25519 key it made."""

    asset_id: PublicId
    public_key: Annotated[Hex32, msgspec.Meta(description="Ed25519 public key, 32 bytes in hex")]
    kind: DeviceKind = DeviceKind.PHONE


class LevelAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """A level an operator wants, on which ground, and the notice that was delivered before (limit and lock need one)."""

    level: Level
    legal_basis: Annotated[str, msgspec.Meta(min_length=2, max_length=200, pattern=ONE_LINE)]
    notice_message_id: PublicId | None = None


class HoldAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Stop escalation (``is_placed`` true), or let it go on."""

    kind: HoldKind
    is_placed: bool


class PinnedKey(msgspec.Struct, kw_only=True, frozen=True):
    """A key whose commands the terminal obeys."""

    number: int
    public_key: str


class StepView(msgspec.Struct, kw_only=True, frozen=True):
    """A state a command reached."""

    state: str
    at: Instant


class CommandView(msgspec.Struct, kw_only=True, frozen=True):
    """One command and what became of it."""

    id: str
    level: str
    counter: int
    state: str
    legal_basis: str
    issued_at: Instant
    expires_at: Instant
    send_count: int
    refusal: str | None
    steps: list[StepView]


class DeviceView(msgspec.Struct, kw_only=True, frozen=True):
    """A terminal: what it should be, what it says it is, and its newest commands."""

    id: str
    asset_id: str
    kind: str
    agreement_id: str | None
    public_key: str
    enrolled_at: Instant
    desired_level: str
    reported_level: str | None
    reported_at: Instant | None
    last_seen_at: Instant | None
    holds: list[str]
    commands: list[CommandView]


class EnrolmentView(msgspec.Struct, kw_only=True, frozen=True):
    """The terminal is on file and must pin these keys."""

    id: str
    device: DeviceView
    pinned_keys: list[PinnedKey]


class LoginView(msgspec.Struct, kw_only=True, frozen=True):
    """How the terminal logs in over MQTT 3.1.1: client id and user name are the same."""

    client_id: str
    username: str
    password: str
    command_topic: str
    report_topic: str

    def __repr__(self) -> str:
        return f"LoginView({self.username}, …)"


class OrderView(msgspec.Struct, kw_only=True, frozen=True):
    """A command on its way."""

    id: str
    device_id: str
    level: str


class HoldView(msgspec.Struct, kw_only=True, frozen=True):
    """What stops escalation now."""

    device_id: str
    holds: list[str]


def device_view(device: Device, commands: list[CommandRecord] | None = None, holds: list[HoldKind] | None = None) -> DeviceView:
    return DeviceView(
        id=public_id(Prefix.DEVICE, device.id),
        asset_id=public_id(Prefix.ASSET, device.asset_id),
        kind=device.kind,
        agreement_id=None if device.agreement_id is None else public_id(Prefix.AGREEMENT, device.agreement_id),
        public_key=device.public_key.hex(),
        enrolled_at=device.enrolled_at,
        desired_level=device.desired_level,
        reported_level=device.reported_level,
        reported_at=device.reported_at,
        last_seen_at=device.last_seen_at,
        holds=[str(kind) for kind in holds or []],
        commands=[
            CommandView(
                id=public_id(Prefix.COMMAND, record.id),
                level=record.level,
                counter=record.counter,
                state=record.state,
                legal_basis=record.legal_basis,
                issued_at=record.issued_at,
                expires_at=record.expires_at,
                send_count=record.send_count,
                refusal=record.refusal,
                steps=[StepView(state=state, at=at) for state, at in record.steps],
            )
            for record in commands or []
        ],
    )
