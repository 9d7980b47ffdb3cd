"""Notes and declarations (标注及声明): segment Z of any unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from xinzu.middle.credit.rules.pboc.fields import code, count, day, many, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One of a unit's 标注及声明."""

    kind: str | None = code("*D01", "标注及声明类型")
    content: str | None = text("*Q01", "标注或声明内容")
    added_on: date | None = day("*R01", "添加日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Segment Z of any unit."""

    notes_count: int | None = count("*S01", "标注及声明个数")
    notes: tuple[Note, ...] = many("*H", Note)
