"""Levels, commands and reports as values, one transition table per noun."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xinzu.kernel.states import Transitions
from xinzu.kernel.time import BusinessDate, Instant


class Level(StrEnum):
    """How far a device is restricted. Emergency calls work at every level."""

    FREE = "free"
    REMIND = "remind"
    LIMIT = "limit"
    LOCK = "lock"

    @property
    def rank(self) -> int:
        """0 is free; a higher rank restricts more."""
        return _RANKS[self]


_RANKS = {Level.FREE: 0, Level.REMIND: 1, Level.LIMIT: 2, Level.LOCK: 3}


class CommandState(StrEnum):
    """What became of a command. It only ever moves on; each state is reached once."""

    CREATED = "created"
    SENT = "sent"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


# A device may apply a command just before it hears of the next one, or report late: what it did is the truth.
COMMAND_MOVES: Transitions[CommandState] = Transitions(
    "command",
    {
        CommandState.CREATED: {
            CommandState.SENT,
            CommandState.ACCEPTED,
            CommandState.APPLIED,
            CommandState.REFUSED,
            CommandState.SUPERSEDED,
            CommandState.EXPIRED,
        },
        CommandState.SENT: {
            CommandState.ACCEPTED,
            CommandState.APPLIED,
            CommandState.REFUSED,
            CommandState.SUPERSEDED,
            CommandState.EXPIRED,
        },
        CommandState.ACCEPTED: {
            CommandState.APPLIED,
            CommandState.REFUSED,
            CommandState.SUPERSEDED,
            CommandState.EXPIRED,
        },
        CommandState.SUPERSEDED: {CommandState.APPLIED, CommandState.REFUSED},
        CommandState.EXPIRED: {CommandState.APPLIED, CommandState.REFUSED},
        CommandState.APPLIED: set(),
        CommandState.REFUSED: set(),
    },
)


class DeviceKind(StrEnum):
    """What kind of terminal it is."""

    PHONE = "phone"


class HoldKind(StrEnum):
    """Why escalation stands still for an agreement."""

    DISPUTE = "dispute"
    HARDSHIP = "hardship"
    DEATH = "death"
    DISASTER = "disaster"


class Reason(StrEnum):
    """Why our own guard refuses to restrict."""

    UNKNOWN_LEVEL = "unknown_level"
    NOT_BOUND = "not_bound"
    NO_DEVICE = "no_device"
    NO_CONSENT = "no_consent"
    ARREARS_CLEARED = "arrears_cleared"
    ON_HOLD = "on_hold"
    STEP_SKIPPED = "step_skipped"
    ONE_STEP_A_DAY = "one_step_a_day"
    OUTSIDE_HOURS = "outside_hours"
    NOTICE_MISSING = "notice_missing"
    NOTICE_SPENT = "notice_spent"
    NOTICE_TOO_RECENT = "notice_too_recent"


class ReportKind(StrEnum):
    """What a device says: that it is here, or what it did with a command."""

    HELLO = "hello"
    ACK = "ack"


class AckResult(StrEnum):
    """What a device did with a command."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything the guards look at for one agreement's device, at one moment."""

    agreement_id: UUID
    device_id: UUID | None
    current: Level
    consent_clause_version: str
    cleared_at: Instant | None
    closed_case_id: UUID | None
    raised_on: BusinessDate | None
    holds: frozenset[HoldKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelOrder:
    """A level that passed the guards (or frees). ``is_repeat`` when it only renews a command whose time ran out."""

    device_id: UUID
    agreement_id: UUID | None
    level: Level
    legal_basis: str
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A signed command as it is sent: the exact body bytes, the key that signed them, the signature."""

    id: UUID
    device_id: UUID
    level: Level
    counter: int
    body: bytes
    key_number: int
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A device's signed words, read. ``sequence`` grows with everything a device says, so an old report cannot be played again."""

    tenant: str
    device: str
    sequence: int
    kind: ReportKind
    level: Level
    counter: int
    at_s: int
    command_id: UUID | None = None
    result: AckResult | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReport:
    """A report with the exact bytes that were signed."""

    report: Report
    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A terminal with its shadow. ``reported_level`` is None until it spoke for the first time."""

    id: UUID
    asset_id: UUID
    kind: DeviceKind
    public_key: bytes
    enrolled_at: Instant
    desired_level: Level
    desired_counter: int
    reported_level: Level | None
    reported_at: Instant | None
    last_seen_at: Instant | None
    sequence: int
    agreement_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDraft:
    """A terminal to enrol: the asset it sits in and the public half of the key it made itself."""

    asset_id: UUID
    public_key: bytes
    kind: DeviceKind = DeviceKind.PHONE


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRequest:
    """Somebody asks for a level on a device: the operator, naming the notice that came before."""

    device_id: UUID
    level: Level
    legal_basis: str
    notice_message_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """Stop escalation for a device's agreement, or let it go on."""

    device_id: UUID
    kind: HoldKind
    is_placed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRecord:
    """A command as it is shown, with every state it reached and when."""

    id: UUID
    level: Level
    counter: int
    state: CommandState
    legal_basis: str
    issued_at: Instant
    expires_at: Instant
    send_count: int
    refusal: str | None
    steps: tuple[tuple[str, Instant], ...]
