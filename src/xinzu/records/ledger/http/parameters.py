"""What the ledger's routes are asked with."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from xinzu.kernel.errors import Invalid
from xinzu.kernel.paging import bad_cursor, decode_cursor
from xinzu.kernel.time import BusinessDate
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import requires
from xinzu.platform.uow import ReadSession
from xinzu.records.ledger.model import Place
from xinzu.records.ledger.rules.places import unpack

READER = [requires(Permission.LEDGER_READ)]

On = Annotated[
    date | None, QueryParameter(name="on", required=False, description="Up to and including this business date; default: today")
]
From = Annotated[
    date | None,
    QueryParameter(
        name="from", required=False, description="The first business date; default: the first of the last one's month"
    ),
]
FromBeginning = Annotated[
    date | None, QueryParameter(name="from", required=False, description="The first business date; default: from the beginning")
]
To = Annotated[date | None, QueryParameter(name="to", required=False, description="The last business date; default: today")]
AccountCode = Annotated[str, QueryParameter(name="account", max_length=12, description="The account's code, e.g. 1122")]
Subject = Annotated[str, QueryParameter(name="subject", max_length=64, description="The id of what was booked about, e.g. agr_…")]
AnySubject = Annotated[
    str | None, QueryParameter(name="subject", max_length=64, required=False, description="Only what was booked about this id")
]


def period(
    read: ReadSession, first: BusinessDate | None, last: BusinessDate | None, pointer: str = "/query/to"
) -> tuple[BusinessDate, BusinessDate]:
    """The dates asked for with what is left out filled in; raises Invalid when they are the wrong way round."""
    last = last or read.business_date
    first = first or last.replace(day=1)
    if first > last:
        raise Invalid.field(
            pointer, "ledger.dates_reversed", "截止日期不能早于起始日期", "The last date must not be before the first"
        )
    return first, last


def place_from(cursor: str | None) -> Place | None:
    """The place in the books a cursor stands for; raises Invalid when it is none of ours."""
    packed: UUID | None = decode_cursor(cursor)
    if packed is None:
        return None
    place = unpack(packed)
    if place is None:
        raise bad_cursor()
    return place
