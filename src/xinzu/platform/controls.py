"""What one person may do alone 单人权限: named beside the command that it holds, lowered by a tenant, never raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix
from xinzu.kernel.outcomes import Outcome
from xinzu.platform.actor import Permission
from xinzu.platform.attesting import attest
from xinzu.platform.uow import ReadSession, UnitOfWork


@dataclass(frozen=True, slots=True)
class Control:
    """A command that may take a second person: up to which amount one may do it alone at most, what a decider must be permitted to do, and
    what sort of thing it is about. Zero means never alone."""

    command: str
    alone_max_fen: int
    permission: Permission
    subject: Prefix
    title_zh: str
    title_en: str


_CONTROLS: dict[str, Control] = {}


class LimitView(msgspec.Struct, kw_only=True):
    """Up to which amount one person may do something alone; zero means never. ``highest_fen`` is the most a tenant may set."""

    command: str
    title_zh: str
    title_en: str
    alone_max_fen: int
    highest_fen: int


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A tenant's own limit for a command."""

    command: str
    alone_max_fen: int


def hold(control: Control) -> None:
    """Make a control known, so that tenants can set limits for it."""
    _CONTROLS[control.command] = control


async def alone_max_fen(read: ReadSession, control: Control) -> int:
    """Up to which amount one person may do it alone here and now, in fen."""
    return (await _own_limits(read)).get(control.command, control.alone_max_fen)


async def set_limits(uow: UnitOfWork, given: Sequence[LimitChange]) -> list[Outcome[LimitView]]:
    """Set a tenant's own limits, from now on. Kept as evidence. Refuses with Invalid a command that is not held, or a limit above the
    control's."""
    outcomes: list[Outcome[LimitView]] = []
    for asked in given:
        control = _CONTROLS.get(asked.command)
        if control is None:
            known = ", ".join(sorted(_CONTROLS))
            outcomes.append(
                Invalid.field("/command", "approval.not_held", f"可设限额的操作：{known}", f"Limits are set for: {known}")
            )
            continue
        highest_fen = control.alone_max_fen
        if asked.alone_max_fen > highest_fen:
            outcomes.append(
                Invalid.field(
                    "/alone_max_fen",
                    "approval.limit_too_high",
                    f"只能更严：不得高于 {highest_fen} 分",
                    f"A limit can only be stricter: at most {highest_fen} fen",
                )
            )
            continue
        await uow.execute(
            "INSERT INTO platform_approval_limit (tenant_id, command, alone_max_fen, changed_by, changed_at)"
            " VALUES (:tenant, :command, :alone_max_fen, :by, :now) ON CONFLICT (tenant_id, command)"
            " DO UPDATE SET alone_max_fen = excluded.alone_max_fen, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
            command=asked.command,
            alone_max_fen=asked.alone_max_fen,
            by=str(uow.actor),
            now=uow.now,
        )
        facts = {"command": asked.command, "alone_max_fen": asked.alone_max_fen, "by": str(uow.actor)}
        attest(uow, "platform.approval_limit.set", uow.actor.id, facts)
        outcomes.append(_limit_view(control, asked.alone_max_fen))
    return outcomes


async def limits(read: ReadSession) -> list[LimitView]:
    """What one person may do alone, by command: the tenant's own limits, or the controls'."""
    own = await _own_limits(read)
    return [_limit_view(control, own.get(command, control.alone_max_fen)) for command, control in sorted(_CONTROLS.items())]


async def _own_limits(read: ReadSession) -> dict[str, int]:
    """A limit that a release has lowered since it was set is no looser than the control."""
    rows = await read.rows("SELECT command, alone_max_fen FROM platform_approval_limit WHERE tenant_id = :tenant")
    return {row.command: min(row.alone_max_fen, _CONTROLS[row.command].alone_max_fen) for row in rows if row.command in _CONTROLS}


def _limit_view(control: Control, alone_max_fen: int) -> LimitView:
    return LimitView(
        command=control.command,
        title_zh=control.title_zh,
        title_en=control.title_en,
        alone_max_fen=alone_max_fen,
        highest_fen=control.alone_max_fen,
    )
