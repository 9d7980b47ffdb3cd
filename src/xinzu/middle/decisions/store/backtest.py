"""SQL of replays on history: stored decisions as columns, a stretch of time after the other; and replays themselves.

A snapshot is some 130 indicators in one jsonb. A graph reads a tenth of them, and a batch comes back as one JSON text per indicator, made
by the database: ``inputs || '{}'`` behind OFFSET 0 unpacks a snapshot once for all of them, and nobody makes an object per decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from xinzu.kernel.time import BusinessDate, Instant
from xinzu.middle.decisions.rules.backtest import Cases, Values
from xinzu.middle.decisions.rules.backtest_figures import Backtest, BacktestReport
from xinzu.middle.decisions.rules.credit_indicators import CREDIT_KINDS
from xinzu.middle.decisions.rules.indicators import DECLARED, SIGNAL_TYPES, TEXTS
from xinzu.middle.decisions.rules.replay.columns import Mask
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

SLICE_ROWS = 16_384
COLUMNS_AT_ONCE = 40
EXACT_MAX = 2**53  # larger whole numbers are no floats
_ABSENT = "\\u0000absent"  # no text in a jsonb holds this character
_FLOATS, _FLAGS = msgspec.json.Decoder(list[float | None]), msgspec.json.Decoder(list[bool | None])
_ANY = msgspec.json.Decoder(list[Any])

_WHICH = "tenant_id = :tenant AND strategy_key = :key AND decided_at >= :since AND decided_at < :until"

# Decisions of one instant stay together: a slice is a stretch of time.
_SLICES = f"""
SELECT min(decided_at) AS begins_at, max(decided_at) AS ends_at, count(*) AS decisions
FROM (
    SELECT decided_at, (row_number() OVER (ORDER BY decided_at) - 1) / :size AS slice
    FROM (SELECT decided_at FROM decisions_decision WHERE {_WHICH} ORDER BY decided_at DESC LIMIT :limit) newest
) numbered
GROUP BY slice ORDER BY slice
"""  # noqa: S608 (constants)

_CASES = """
SELECT string_agg(uuid_send(id), '' {order}) AS ids,
       string_agg(CASE outcome WHEN 'approve' THEN '0' WHEN 'decline' THEN '1' ELSE '2' END, '' {order}) AS before,
       string_agg(CASE WHEN bad_on IS NOT NULL AND is_mature THEN '1' WHEN is_mature THEN '0' ELSE '2' END, '' {order}) AS performance,
       string_agg(CASE arm WHEN 'random_accept' THEN '1' ELSE '0' END, '' {order}) AS is_random,
       string_agg(int4send(strategy_version), '' {order}) AS versions{fields}
FROM (
    SELECT d.id, d.decided_at, d.outcome, d.arm, d.strategy_version, x.bad_on,
           coalesce(x.agreement_id IS NOT NULL AND d.decided_at <= :matured_before, false) AS is_mature{inputs}
    FROM (
        SELECT id, application_id, outcome, arm, strategy_version, decided_at{read} FROM decisions_decision
        WHERE {which} AND NOT reason_codes && cast(:law AS text[])
    ) d
    LEFT JOIN decisions_exposure x ON x.tenant_id = :tenant AND x.application_id = d.application_id
    OFFSET 0
) each_decision
"""

_REASONS = f"""
SELECT code, count(*) AS decisions FROM decisions_decision, unnest(reason_codes) AS code
WHERE {_WHICH} AND NOT reason_codes && cast(:law AS text[]) GROUP BY code
"""  # noqa: S608 (constants)

_LAID = """
SELECT name, ids_digest, cells FROM decisions_column
WHERE tenant_id = :tenant AND key = :key AND begins_at = :begins_at AND name = ANY(cast(:names AS text[]))
"""

_STRETCHES = """
SELECT DISTINCT begins_at, ends_before, decisions FROM decisions_column
WHERE tenant_id = :tenant AND key = :key AND begins_at >= :since AND ends_before <= :until ORDER BY begins_at
"""

_NEXT = """
SELECT min(decided_at) AS begins_at, max(decided_at) AS ends_at, count(*) AS decisions FROM (
    SELECT decided_at FROM decisions_decision
    WHERE tenant_id = :tenant AND strategy_key = :key AND decided_at >= :begin AND decided_at < :until
    ORDER BY decided_at FETCH FIRST :size ROWS WITH TIES
) oldest
HAVING count(*) > 0
"""

_REPLAYS = """
SELECT id, strategy_id, key, version, graph, graph_sha256, engine_version, since_on, until_on, limit_count, segments, maturity_days, state,
       decisions_total, decisions_done, report, failure, asked_by, asked_at, finished_at
FROM decisions_backtest WHERE tenant_id = :tenant
"""


@dataclass(frozen=True, slots=True)
class Period:
    """Decisions of a key between two instants, ``until`` not included; at most so many, the newest."""

    key: str
    since: Instant
    until: Instant
    limit: int

    def bounds(self) -> dict[str, object]:
        return {"key": self.key, "since": self.since, "until": self.until}


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time with its decisions."""

    begins_at: Instant
    ends_before: Instant
    count: int
    is_laid: bool = False  # whether there are columns of it


async def slices(read: ReadSession, period: Period) -> list[Slice]:
    """The period in stretches of about ``SLICE_ROWS`` decisions, oldest first: those laid down as columns, and what is before and after."""
    laid = [
        Slice(row.begins_at, row.ends_before, row.decisions, is_laid=True)
        for row in await read.rows(_STRETCHES, **period.bounds())
    ]
    if not laid:
        return await _from_snapshots(read, period)
    earlier = replace(period, until=laid[0].begins_at)
    later = replace(period, since=laid[-1].ends_before)
    found = [*await _from_snapshots(read, earlier), *laid, *await _from_snapshots(read, later)]
    return found if sum(each.count for each in found) <= period.limit else await _from_snapshots(read, period)


async def _from_snapshots(read: ReadSession, period: Period) -> list[Slice]:
    """The index alone answers."""
    rows = await read.rows(_SLICES, **period.bounds(), limit=period.limit, size=SLICE_ROWS)
    found: list[Slice] = []
    count = 0
    for place, row in enumerate(rows):
        count += row.decisions
        last = place + 1 == len(rows)
        ends_before = row.ends_at + timedelta(microseconds=1) if last else rows[place + 1].begins_at
        if ends_before > row.begins_at:  # else one instant fills more than a slice, and all of it is read with the next
            found.append(Slice(row.begins_at, ends_before, count))
            count = 0
    return found


async def cases(
    read: ReadSession, key: str, part: Slice, names: Sequence[str], law: Sequence[str], maturity_days: int
) -> Cases | None:
    """The decisions of a slice as columns of these indicators, without those the law kept from automated decision; None when there are none.

    What became of them is looked up now; the indicators come from the columns that were laid down, or else from the snapshots.
    """
    wanted = list(dict.fromkeys(("exposure_fen", "exposure_after_fen", *names)))
    laid = (
        {row.name: row for row in await read.rows(_LAID, key=key, begins_at=part.begins_at, names=wanted)} if part.is_laid else {}
    )
    from_snapshots = [] if len(laid) == len(wanted) else wanted
    row = await read.row(
        _cases_query(from_snapshots),
        key=key,
        since=part.begins_at,
        until=part.ends_before,
        law=list(law),
        matured_before=read.now - timedelta(days=maturity_days),
    )
    if row is None or row.ids is None:
        return None
    if laid and any(each.ids_digest != _digest(row.ids) for each in laid.values()):
        return await cases(read, key, replace(part, is_laid=False), names, law, maturity_days)
    columns: dict[str, Values] = {}
    absent: dict[str, Mask] = {}
    for name in wanted:
        columns[name], missing = _column(name, row[name]) if from_snapshots else unpacked(name, laid[name].cells)
        if missing is not None:
            absent[name] = missing
    before, after = (np.asarray(columns[name], dtype=np.float64) for name in ("exposure_fen", "exposure_after_fen"))
    return Cases(
        row.ids,
        _digits(row.before),
        _digits(row.performance),
        _digits(row.is_random),
        np.nan_to_num(after - before).astype(np.int64),
        np.frombuffer(row.versions, dtype=">i4").astype(np.int64),
        columns,
        absent,
    )


def _cases_query(names: Sequence[str]) -> str:
    order = "ORDER BY decided_at, id"
    fields = "".join(f",\n       {_field(name)} AS {name}" for name in names)
    inputs, read = (",\n           d.inputs || '{}' AS inputs", ", inputs") if names else ("", "")
    return _CASES.format(fields=fields, which=_WHICH, inputs=inputs, read=read, order=order)


async def lay_down(uow: UnitOfWork, key: str, law: Sequence[str], settled_before: Instant) -> int:
    """Lay the oldest slice of decisions that has no columns yet down as columns, once it is full; returns its decisions, or 0.

    Decisions never change, so columns stay right; they hold nothing the snapshots do not, and are read a hundred times faster. Decisions
    made after ``settled_before`` may still be joined by others of the same instant, and wait.
    """
    begin = await uow.scalar("SELECT max(ends_before) FROM decisions_column WHERE tenant_id = :tenant AND key = :key", key=key)
    row = await uow.row(_NEXT, key=key, begin=begin or datetime(1970, 1, 1, tzinfo=UTC), until=settled_before, size=SLICE_ROWS)
    if row is None or row.decisions < SLICE_ROWS:
        return 0
    part = Slice(row.begins_at, row.ends_at + timedelta(microseconds=1), row.decisions)
    names = sorted(DECLARED)
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        some = names[start : start + COLUMNS_AT_ONCE]
        found = await uow.row(
            _cases_query(some), key=key, since=part.begins_at, until=part.ends_before, law=list(law), matured_before=uow.now
        )
        if found is None or found.ids is None:
            some, cells, ids = [""], [b""], b""  # nobody here was decided by a machine; the stretch is done all the same
        else:
            cells, ids = [packed(name, found[name]) for name in some], found.ids
        await uow.execute(
            "INSERT INTO decisions_column (tenant_id, key, begins_at, name, ends_before, decisions, ids_digest, cells)"
            " SELECT :tenant, :key, :begins_at, c.name, :ends_before, :decisions, :ids_digest, c.cells"
            " FROM unnest(cast(:names AS text[]), cast(:cells AS bytea[])) AS c(name, cells) ON CONFLICT DO NOTHING",
            key=key,
            begins_at=part.begins_at,
            ends_before=part.ends_before,
            decisions=part.count,
            ids_digest=_digest(ids),
            names=some,
            cells=cells,
        )
    return part.count


def _digest(ids: bytes) -> bytes:
    return blake2b(ids, digest_size=16).digest()


def packed(name: str, cells: str) -> bytes:
    """A column as bytes: a letter for its kind, then whole numbers of the smallest width (the least stands for null), text by number, or
    the JSON itself where nothing smaller says the same."""
    values, missing = _column(name, cells)
    if missing is None and isinstance(values, np.ndarray):
        null, known = np.ma.getmaskarray(values), np.ma.getdata(values)
        if known.dtype.kind == "b":
            return b"?" + np.where(null, _NULL_FLAG, known).astype(np.uint8).tobytes()
        if known.dtype.kind == "f":
            return _packed_numbers(known)
        kinds, places = np.unique(known, return_inverse=True)
        if len(kinds) < _NULL_TEXT:
            head = msgspec.json.encode(kinds.tolist())
            return b"t" + len(head).to_bytes(4, "big") + head + np.where(null, _NULL_TEXT, places).astype(np.uint8).tobytes()
    return b"j" + cells.encode()


def _packed_numbers(numbers: NDArray[np.float64]) -> bytes:
    missing = np.isnan(numbers)
    known = numbers[~missing]
    if (known == np.rint(known)).all():
        for width in _WIDTHS:
            limits = np.iinfo(f"<i{width}")
            if not len(known) or (known.min() > limits.min and known.max() <= limits.max):
                return str(width).encode() + np.where(missing, limits.min, np.nan_to_num(numbers)).astype(f"<i{width}").tobytes()
    return b"d" + numbers.astype("<f8").tobytes()


_WIDTHS = (1, 2, 4, 8)  # bytes
_NULL_TEXT = 255


def unpacked(name: str, cells: bytes) -> tuple[Values, Mask | None]:
    """A column from its bytes, as ``_column`` gives it."""
    kind, rest = chr(cells[0]), cells[1:]
    if kind == "j":
        return _column(name, rest.decode())
    if kind == "?":
        return _flags(np.frombuffer(rest, dtype=np.uint8)), None
    if kind == "t":
        size = int.from_bytes(rest[:4], "big")
        kinds = np.array(msgspec.json.decode(rest[4 : 4 + size]))
        places = np.frombuffer(rest[4 + size :], dtype=np.uint8)
        missing = places == _NULL_TEXT
        return np.ma.MaskedArray(kinds[np.where(missing, 0, places)], missing) if missing.any() else kinds[places], None
    if kind == "d":
        return np.frombuffer(rest, dtype="<f8"), None
    whole = np.frombuffer(rest, dtype=f"<i{kind}")
    return np.where(whole == np.iinfo(whole.dtype).min, np.nan, whole.astype(np.float64)), None


def readable(names: frozenset[str]) -> list[str]:
    """Those of the names that decisions may hold: only they are asked for by name in SQL."""
    return sorted(names & DECLARED)


def _field(name: str) -> str:
    assert name in DECLARED, name
    return f"string_agg(coalesce((inputs -> '{name}')::text, '\"{_ABSENT}\"'), ',' ORDER BY decided_at, id)"


def _digits(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8) - np.uint8(ord("0"))


def _column(name: str, cells: str) -> tuple[Values, Mask | None]:
    """The values of an indicator, and where the snapshot does not hold it. A value that is not of the declared kind stays what it is."""
    text = f"[{cells}]"
    if _ABSENT in cells:
        values = _ANY.decode(text)
        mark = "\0absent"
        return [None if each == mark else each for each in values], np.array([each == mark for each in values], dtype=np.bool_)
    kind = str if name in TEXTS else SIGNAL_TYPES.get(name) or CREDIT_KINDS.get(name, int)
    try:
        if kind is bool:
            return _flags(np.array([_NULL_FLAG if each is None else each for each in _FLAGS.decode(text)], dtype=np.uint8)), None
        if kind is not str:
            numbers = np.array(_FLOATS.decode(text), dtype=np.float64)  # None is not a number
            if not (np.abs(numbers) >= EXACT_MAX).any():
                return numbers, None
    except msgspec.ValidationError:
        pass
    values = _ANY.decode(text)
    return (_texts(values) if {str} <= set(map(type, values)) <= {str, type(None)} else values), None


_NULL_FLAG = 2


def _flags(flags: NDArray[np.uint8]) -> NDArray[Any]:
    """No, yes and null as an array, masked where null."""
    missing = flags == _NULL_FLAG
    return np.ma.MaskedArray(flags == 1, missing) if missing.any() else flags == 1


def _texts(values: Sequence[str | None]) -> NDArray[Any]:
    texts = np.array([each or "" for each in values])
    return np.ma.MaskedArray(texts, [each is None for each in values]) if None in values else texts


async def inputs_of(read: ReadSession, decision_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """All that is stored of what some decisions saw."""
    rows = await read.rows(
        "SELECT id, inputs FROM decisions_decision WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
        ids=list(decision_ids),
    )
    return {row.id: row.inputs for row in rows}


async def reasons_given(read: ReadSession, period: Period, law: Sequence[str]) -> dict[str, int]:
    """How many decisions of a period each reason was given to, without those the law kept from automated decision."""
    rows = await read.rows(_REASONS, **period.bounds(), law=list(law))
    return {row.code: row.decisions for row in rows}


async def versions_in(read: ReadSession, period: Period) -> list[int]:
    """The versions that made the decisions of a period."""
    rows = await read.rows(
        f"SELECT DISTINCT strategy_version FROM decisions_decision WHERE {_WHICH}",  # noqa: S608 (constants)
        **period.bounds(),
    )
    return sorted(row.strategy_version for row in rows)


async def kept_by_law(read: ReadSession, period: Period, law: Sequence[str]) -> int:
    """How many decisions of a period the law kept from automated decision."""
    found = await read.scalar(
        f"SELECT count(*) FROM decisions_decision WHERE {_WHICH} AND reason_codes && cast(:law AS text[])",  # noqa: S608 (constants)
        **period.bounds(),
        law=list(law),
    )
    return int(found)


async def note_bad(uow: UnitOfWork, bad_on: Mapping[UUID, BusinessDate]) -> None:
    """Agreement → the business date at whose close it was 30 days past due or written off. The first stays."""
    if bad_on:
        await uow.execute(
            "UPDATE decisions_exposure x SET bad_on = o.bad_on"
            " FROM unnest(cast(:agreements AS uuid[]), cast(:dates AS date[])) AS o(agreement_id, bad_on)"
            " WHERE x.tenant_id = :tenant AND x.agreement_id = o.agreement_id AND x.bad_on IS NULL",
            agreements=list(bad_on.keys()),
            dates=list(bad_on.values()),
        )


async def insert(uow: UnitOfWork, asked: Backtest) -> None:
    await uow.execute(
        "INSERT INTO decisions_backtest (tenant_id, id, strategy_id, key, version, graph, graph_sha256, engine_version, since_on, until_on,"
        " limit_count, segments, maturity_days, state, decisions_total, decisions_done, asked_by, asked_at)"
        " VALUES (:tenant, :id, :strategy_id, :key, :version, cast(:graph AS jsonb), :graph_sha256, :engine_version, :since_on, :until_on,"
        " :limit_count, cast(:segments AS text[]), :maturity_days, :state, 0, 0, :asked_by, :asked_at)",
        id=asked.id,
        strategy_id=asked.strategy_id,
        key=asked.key,
        version=asked.version,
        graph=_json(asked.graph),
        graph_sha256=asked.graph_sha256,
        engine_version=asked.engine_version,
        since_on=asked.since_on,
        until_on=asked.until_on,
        limit_count=asked.limit_count,
        segments=list(asked.segments),
        maturity_days=asked.maturity_days,
        state=asked.state,
        asked_by=asked.asked_by,
        asked_at=asked.asked_at,
    )


async def note_progress(uow: UnitOfWork, backtest_id: UUID, total: int, done: int) -> None:
    await uow.execute(
        "UPDATE decisions_backtest SET state = 'running', decisions_total = :total, decisions_done = :done"
        " WHERE tenant_id = :tenant AND id = :id AND finished_at IS NULL",
        id=backtest_id,
        total=total,
        done=done,
    )


async def finish(
    uow: UnitOfWork, backtest_id: UUID, engine_version: str, report: BacktestReport | None, failure: str | None
) -> None:
    """Keep what a replay found, or why it found nothing."""
    await uow.execute(
        "UPDATE decisions_backtest SET state = :state, report = cast(:report AS jsonb), failure = cast(:failure AS text), finished_at = :now,"
        " engine_version = :engine, decisions_done = CASE WHEN cast(:failure AS text) IS NULL THEN decisions_total ELSE decisions_done END"
        " WHERE tenant_id = :tenant AND id = :id AND finished_at IS NULL",
        id=backtest_id,
        state="failed" if report is None else "done",
        report=None if report is None else _json(report),
        failure=failure,
        engine=engine_version,
        now=uow.now,
    )


async def backtest(read: ReadSession, backtest_id: UUID) -> Backtest | None:
    row = await read.row(f"{_REPLAYS} AND id = :id", id=backtest_id)
    return None if row is None else _backtest(row)


async def list_backtests(read: ReadSession, strategy_id: UUID, before_id: UUID | None, limit: int) -> list[Backtest]:
    """The replays of a version, newest first; ``before_id`` is the last of the page before."""
    rows = await read.rows(
        f"{_REPLAYS} AND strategy_id = :strategy AND (cast(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        strategy=strategy_id,
        before=before_id,
        limit=limit,
    )
    return [_backtest(row) for row in rows]


def _backtest(row: Row) -> Backtest:
    report = None if row.report is None else msgspec.convert(row.report, BacktestReport, strict=False)
    return Backtest(**{**dict(row), "report": report})


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
