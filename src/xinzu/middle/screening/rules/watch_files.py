"""Watch lists as they are published: CSV or JSON with a reference, names, aliases, a birth date and a document."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from xinzu.kernel.errors import FieldError
from xinzu.middle.screening.errors import WatchFileInvalid
from xinzu.middle.screening.model import WatchEntry
from xinzu.middle.screening.rules.names import document_form

ENTRIES_MAX = 50_000
ALIASES_MAX = 50
ERRORS_MAX = 20
_COLUMNS = ("reference", "name", "aliases", "birth_on", "document_no")


def read_csv(text: str) -> list[WatchEntry]:
    """``reference,name,aliases,birth_on,document_no``, aliases separated by ``;``. Raises WatchFileInvalid naming every row that is wrong."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = {"reference", "name"} - set(reader.fieldnames or ())
    if missing:
        raise WatchFileInvalid.field(
            "/csv",
            WatchFileInvalid.code,
            f"首行须为列名：{','.join(_COLUMNS)}，至少要有 reference 和 name",
            f"The first line names the columns {','.join(_COLUMNS)}; reference and name must be there",
        )
    rows = ({**row, "aliases": (row.get("aliases") or "").split(";")} for row in reader)
    return _entries(rows, "/csv")


def read_json(text: str) -> list[WatchEntry]:
    """A list of objects with the fields of ``read_csv``, ``aliases`` a list. Raises WatchFileInvalid."""
    try:
        rows = json.loads(text)
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WatchFileInvalid.field(
            "/json", WatchFileInvalid.code, "应为对象组成的 JSON 数组", "It must be a JSON list of objects"
        )
    return _entries(iter(rows), "/json")


def _entries(rows: Iterator[Mapping[str, Any]], pointer: str) -> list[WatchEntry]:
    entries: dict[str, WatchEntry] = {}
    errors: list[FieldError] = []
    for number, row in enumerate(rows, start=1):
        try:
            entry = _entry(row)
            if entry.reference in entries:
                raise ValueError("reference", "编号重复", "The reference is given twice")
            entries[entry.reference] = entry
        except ValueError as error:
            field, zh, en = error.args
            errors.append(
                FieldError(f"{pointer}/{number}/{field}", WatchFileInvalid.code, f"第 {number} 条：{zh}", f"Row {number}: {en}")
            )
        if len(errors) >= ERRORS_MAX or number > ENTRIES_MAX:
            break
    if len(entries) > ENTRIES_MAX:
        errors.append(
            FieldError(pointer, WatchFileInvalid.code, f"最多 {ENTRIES_MAX} 条", f"At most {ENTRIES_MAX} entries are taken")
        )
    if not entries and not errors:
        errors.append(FieldError(pointer, WatchFileInvalid.code, "名单为空", "The list is empty"))
    if errors:
        raise WatchFileInvalid(errors=tuple(errors))
    return list(entries.values())


def _entry(row: Mapping[str, Any]) -> WatchEntry:
    """Raises ValueError with the field and what is wrong with it in both languages."""
    reference, name = _text(row, "reference"), _text(row, "name")
    if not reference:
        raise ValueError("reference", "缺少编号", "The reference is missing")
    if not name:
        raise ValueError("name", "缺少姓名", "The name is missing")
    aliases = row.get("aliases") or []
    if not isinstance(aliases, list) or len(aliases) > ALIASES_MAX or not all(isinstance(each, str) for each in aliases):
        raise ValueError("aliases", f"别名应为文字，最多 {ALIASES_MAX} 个", f"Aliases are texts, at most {ALIASES_MAX}")
    born = _text(row, "birth_on")
    try:
        birth_on = date.fromisoformat(born) if born else None
    except ValueError:
        raise ValueError("birth_on", "出生日期应为 YYYY-MM-DD", "A birth date is written YYYY-MM-DD") from None
    document_no = _text(row, "document_no")
    return WatchEntry(
        reference=reference,
        names=tuple(dict.fromkeys([name, *(each.strip() for each in aliases if each.strip())])),
        birth_on=birth_on,
        document_no=document_form(document_no) or None,
    )


def _text(row: Mapping[str, Any], field: str) -> str:
    found = row.get(field)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > 300 or "\x00" in found:
        raise ValueError(field, "应为不超过 300 字的文字", "It must be a text of at most 300 characters")
    return found.strip()
