"""Reports over all agreements, for a risk officer and for finance: ageing, risk classes, and both as files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import BinaryIO
from uuid import UUID

import msgspec

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.risk_schemas import AgedAgreement, BucketAmount
from xinzu.back.billing.rules.ageing import AgeingBucket
from xinzu.back.billing.rules.asset_class import NON_PERFORMING
from xinzu.back.billing.rules.provision import share_pct
from xinzu.back.billing.store import days, portfolio
from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.spreadsheets import ROWS_PER_BATCH, Cell, FileForm, Yuan, write_table
from xinzu.platform.uow import ReadSession

BUCKETS = tuple(AgeingBucket)
AGEING_HEADING = (
    *("合同编号 agreement_no", "agreement_id", "party_id", "类别 family", "分类 asset_class", "最早到期日 oldest_due_on"),
    *("逾期天数 days_past_due", "应收合计 open"),
    *(f"{bucket.value}" for bucket in BUCKETS),
    *("open_fen", *(f"{bucket.value}_fen" for bucket in BUCKETS)),
)
CLASSES_HEADING = (
    *("类别 family", "分类 asset_class", "合同数 agreement_count", "风险敞口 exposure", "减值准备 provision"),
    *("覆盖率 coverage_pct", "exposure_fen", "provision_fen"),
)


class AgeingLine(msgspec.Struct, kw_only=True):
    """What is owed in one bucket of days past due: by how many agreements, and how much."""

    family: str
    bucket: str
    agreement_count: int
    amount_fen: int


class AgeingReport(msgspec.Struct, kw_only=True):
    """Ageing of receivables by family and bucket."""

    on: BusinessDate
    lines: list[AgeingLine]
    total_fen: int


class AssetClassLine(msgspec.Struct, kw_only=True):
    """A risk class of one family. ``coverage_pct`` is the provision in percent of the exposure, null when nothing is exposed."""

    family: str
    asset_class: str
    agreement_count: int
    exposure_fen: int
    provision_fen: int
    coverage_pct: str | None


class AssetClassReport(msgspec.Struct, kw_only=True):
    """Risk classes as of a closed date. ``non_performing_pct`` is what is substandard or worse in percent of all exposure 不良率,
    ``coverage_pct`` all provisions in percent of what is non-performing 拨备覆盖率; null when there is nothing to divide by."""

    as_of: BusinessDate | None
    lines: list[AssetClassLine]
    exposure_fen: int
    provision_fen: int
    non_performing_fen: int
    non_performing_pct: str | None
    coverage_pct: str | None


async def ageing_of(read: ReadSession, on: BusinessDate | None = None) -> AgeingReport:
    """What customers owe by how long it is past due, at the close of a date as we know it today; default: as it stands now.

    Every family and bucket has its line. The fen of all lines are what is owed. Raises Invalid for a date to come.
    """
    day = _day(read, on)
    found = {(row.family, row.bucket): row for row in await portfolio.ageing(read, day)}
    lines = []
    for family in Family:
        for n, bucket in enumerate(BUCKETS):
            row = found.get((family.value, n))
            lines.append(
                AgeingLine(
                    family=family.value,
                    bucket=bucket.value,
                    agreement_count=0 if row is None else row.agreement_count,
                    amount_fen=0 if row is None else row.amount_fen,
                )
            )
    return AgeingReport(on=day, lines=lines, total_fen=sum(line.amount_fen for line in lines))


async def aged_agreements(
    read: ReadSession,
    bucket: AgeingBucket,
    on: BusinessDate | None = None,
    family: Family | None = None,
    *,
    after: UUID | None = None,
    limit: int,
) -> list[tuple[UUID, AgedAgreement]]:
    """The agreements behind a bucket by their ids, behind the last one seen. Raises Invalid for a date to come."""
    rows = await portfolio.aged(read, _day(read, on), bucket, None if family is None else family.value, after, limit)
    return [(row.agreement_id, _aged(row)) for row in rows]


async def asset_classes(read: ReadSession) -> AssetClassReport:
    """Risk classes as of the last close: agreements, what they owe before provision, and the allowance that stands (as of the last end of a
    month). Every family and class has its line."""
    as_of = await days.last_closed(read)
    found = {(row.family, row.asset_class): row for row in await portfolio.by_class(read, as_of or read.business_date)}
    lines = []
    for family in Family:
        for asset_class in AssetClass:
            row = found.get((family.value, asset_class.value))
            exposure_fen, provision_fen = (0, 0) if row is None else (row.exposure_fen, row.provision_fen)
            lines.append(
                AssetClassLine(
                    family=family.value,
                    asset_class=asset_class.value,
                    agreement_count=0 if row is None else row.agreement_count,
                    exposure_fen=exposure_fen,
                    provision_fen=provision_fen,
                    coverage_pct=share_pct(provision_fen, exposure_fen),
                )
            )
    exposure_fen = sum(line.exposure_fen for line in lines)
    provision_fen = sum(line.provision_fen for line in lines)
    bad_fen = sum(line.exposure_fen for line in lines if AssetClass(line.asset_class) in NON_PERFORMING)
    return AssetClassReport(
        as_of=as_of,
        lines=lines,
        exposure_fen=exposure_fen,
        provision_fen=provision_fen,
        non_performing_fen=bad_fen,
        non_performing_pct=share_pct(bad_fen, exposure_fen),
        coverage_pct=share_pct(provision_fen, bad_fen),
    )


async def export_ageing(read: ReadSession, target: BinaryIO, form: FileForm, on: BusinessDate | None = None) -> None:
    """A row per agreement that owes something, with what it owes in each bucket. Raises Invalid for a date to come."""
    day = _day(read, on)

    async def rows() -> AsyncIterator[Iterable[Sequence[Cell]]]:
        async for batch in portfolio.stream_aged(read, day, ROWS_PER_BATCH):
            yield map(_ageing_row, batch)

    await write_table(target, form, AGEING_HEADING, rows())


async def export_asset_classes(read: ReadSession, target: BinaryIO, form: FileForm) -> None:
    """A row per family and class."""
    report = await asset_classes(read)

    async def rows() -> AsyncIterator[Iterable[Sequence[Cell]]]:
        yield [
            [
                *(line.family, line.asset_class, line.agreement_count, Yuan(line.exposure_fen), Yuan(line.provision_fen)),
                *(line.coverage_pct, line.exposure_fen, line.provision_fen),
            ]
            for line in report.lines
        ]

    await write_table(target, form, CLASSES_HEADING, rows())


def _day(read: ReadSession, on: BusinessDate | None) -> BusinessDate:
    if on is not None and on > read.business_date:
        raise Invalid.field("/query/on", "billing.date_to_come", "日期不能晚于今天", "The date must not be after today")
    return on or read.business_date


def _amounts(row: Row) -> list[int]:
    return [row[f"bucket_{n}"] for n in range(len(BUCKETS))]


def _aged(row: Row) -> AgedAgreement:
    return AgedAgreement(
        agreement_id=public_id(Prefix.AGREEMENT, row.agreement_id),
        agreement_no=row.agreement_no,
        party_id=public_id(Prefix.PARTY, row.party_id),
        family=row.family,
        asset_class=row.asset_class,
        oldest_due_on=row.oldest_due_on,
        days_past_due=row.days_past_due,
        open_fen=row.open_fen,
        buckets=[BucketAmount(bucket=bucket.value, amount_fen=fen) for bucket, fen in zip(BUCKETS, _amounts(row), strict=True)],
    )


def _ageing_row(row: Row) -> list[Cell]:
    amounts = _amounts(row)
    return [
        *(row.agreement_no, public_id(Prefix.AGREEMENT, row.agreement_id), public_id(Prefix.PARTY, row.party_id)),
        *(row.family, row.asset_class, row.oldest_due_on, row.days_past_due),
        *map(Yuan, [row.open_fen, *amounts]),
        *(row.open_fen, *amounts),
    ]
