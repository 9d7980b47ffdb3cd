"""Routes of the overview."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from jinja2 import Environment, PackageLoader, select_autoescape
from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect

from xinzu.app.overview import reading
from xinzu.app.overview.agreements import agreement_page
from xinzu.app.overview.words import amount_or_text, event_details, event_title, label, state_text, value_text
from xinzu.back.billing import api as billing
from xinzu.back.billing.events import ArrearsAged
from xinzu.kernel.errors import Forbidden, NotFound, Problem
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.money import Money
from xinzu.kernel.paging import decode_cursor, encode_cursor
from xinzu.kernel.time import Instant
from xinzu.platform.actor import Permission
from xinzu.platform.db import Row
from xinzu.platform.http.auth import SESSION_COOKIE
from xinzu.platform.http.door import HttpRequest, actor_of, id_from, runtime_of
from xinzu.platform.http.door import reading as open_reading
from xinzu.platform.http.problems import status_of
from xinzu.platform.http.sessions import end_session, session_cookie
from xinzu.platform.tenants import WrongLogin, log_in
from xinzu.platform.uow import ReadSession
from xinzu.records.evidence import api as evidence

PAGE = 50
FRACTION_CHARS = 12  # of a year: ten decimals are enough to check a fen
LANGUAGE_COOKIE = "xinzu_lang"
FILTERS = ("", "submitted", "referred", "approved", "declined", "contracted", "closed", "cancelled")


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("xinzu.app.overview"), autoescape=select_autoescape(), trim_blocks=True)


def _english(request: HttpRequest) -> bool:
    asked = request.query_params.get("lang")
    return (asked or request.cookies.get(LANGUAGE_COOKIE, "zh")) == "en"


def _page(
    request: HttpRequest, template: str, frame: Mapping[str, object] | None = None, /, status: int = 200, **values: object
) -> Response[str]:
    english = _english(request)
    html = (
        _templates().get_template(template).render(en=english, t=lambda zh, en: en if english else zh, **(frame or {}), **values)
    )
    cookies = []
    if request.query_params.get("lang") in {"zh", "en"}:
        cookies = [Cookie(key=LANGUAGE_COOKIE, value="en" if english else "zh", path="/", samesite="lax")]
    return Response(html, status_code=status, media_type="text/html; charset=utf-8", cookies=cookies)


def _local(read: ReadSession, at: Instant) -> str:
    return at.astimezone(read.calendar.zone).strftime("%Y-%m-%d %H:%M")


def _signed_in(request: HttpRequest) -> bool:
    return "actor" in request.scope["state"]


def _require(request: HttpRequest) -> None:
    needed = {Permission.APPLICATION_READ, Permission.BILLING_READ, Permission.EVIDENCE_READ}
    if not needed <= actor_of(request).permissions:
        raise Forbidden()


async def _frame(read: ReadSession) -> dict[str, object]:
    name = await read.scalar("SELECT name FROM platform_tenant WHERE id = :tenant")
    return {"tenant": name, "now": _local(read, read.now)}


_TO_LOGIN = "/overview/login"


@get("/", include_in_schema=False)
async def root() -> Redirect:
    return Redirect("/overview")


@get("/overview/login", include_in_schema=False)
async def login_form(request: HttpRequest) -> Response[str]:
    return _page(request, "login.html", form={"tenant": "", "login": ""})


@post("/overview/login", include_in_schema=False, status_code=200)
async def log_in_here(request: HttpRequest) -> Response[Any]:
    form = await request.form()
    tenant, login, password = (str(form.get(name, ""))[:200] for name in ("tenant", "login", "password"))
    try:
        session = await log_in(runtime_of(request), tenant, login, password)
    except (WrongLogin, NotFound):
        words = "Wrong tenant, login or password" if _english(request) else "商户、登录名或密码不正确"
        return _page(request, "login.html", status=401, error=words, form={"tenant": tenant, "login": login})
    return Redirect("/overview", status_code=303, cookies=[session_cookie(request, tenant, session)])


@post("/overview/logout", include_in_schema=False, status_code=303)
async def log_out_here(request: HttpRequest) -> Redirect:
    await end_session(request)
    gone = Cookie(key=SESSION_COOKIE, value="", max_age=0, path="/")
    return Redirect(_TO_LOGIN, status_code=303, cookies=[gone])


@get("/overview", include_in_schema=False)
async def list_orders(request: HttpRequest) -> Response[Any]:
    """The orders of the tenant, newest first."""
    if not _signed_in(request):
        return Redirect(_TO_LOGIN)
    _require(request)
    english = _english(request)
    state = request.query_params.get("state") or None
    before = decode_cursor(request.query_params.get("cursor"))
    async with open_reading(request) as read:
        rows = await reading.orders(read, state=state if state in FILTERS else None, before=before, limit=PAGE + 1)
        sums = await reading.totals(read)
        frame = await _frame(read)
        shown = [_order_line(read, row, english) for row in rows[:PAGE]]
    words = (
        (("申请", "Applications"), sums.applications),
        (("履行中", "Active"), sums.active),
        (("逾期订单", "Overdue orders"), sums.overdue_count),
        (("逾期金额", "Overdue"), Money(sums.overdue_fen)),
        (("累计收款", "Received"), Money(sums.received_fen)),
    )
    return _page(
        request,
        "orders.html",
        frame,
        orders=shown,
        next=encode_cursor(rows[PAGE - 1].id) if len(rows) > PAGE else None,
        chosen=state or "",
        filters=[(value, state_text(value, english)[0] if value else ("all" if english else "全部")) for value in FILTERS],
        totals=[(name[1] if english else name[0], value) for name, value in words],
    )


def _order_line(read: ReadSession, row: Row, english: bool) -> dict[str, object]:
    application, application_tone = state_text(row.application_state, english)
    is_repaying = row.agreement_state == "active" and row.family != "rental"
    agreement, agreement_tone = state_text("repaying" if is_repaying else row.agreement_state, english)
    level, level_tone = state_text(row.reported_level, english)
    days = "d" if english else "天"
    return {
        "id": public_id(Prefix.APPLICATION, row.id),
        "submitted_at": _local(read, row.submitted_at),
        "customer": row.customer,
        "product": row.product,
        "family": value_text(row.family, english),
        "application_state": application,
        "application_tone": application_tone,
        "agreement_state": agreement,
        "agreement_tone": agreement_tone,
        "paid": f"{row.paid}/{row.total}" if row.total else "",
        "overdue": f"{row.days_past_due} {days} · {Money(row.overdue_fen)}" if row.overdue_fen else "",
        "level": level,
        "level_tone": level_tone,
    }


@get("/overview/orders/{application_id:str}", include_in_schema=False)
async def show_order(request: HttpRequest, application_id: FromPath[str]) -> Response[Any]:
    """One order: what is owed and why, what happened when, and what can be proven."""
    if not _signed_in(request):
        return Redirect(_TO_LOGIN)
    _require(request)
    english = _english(request)
    order_id = id_from(Prefix.APPLICATION, application_id)
    async with open_reading(request) as read:
        row = await _order(read, order_id)
        subjects = [order_id] if row.agreement_id is None else [order_id, row.agreement_id]
        events = await reading.timeline(read, subjects)
        leaves = [leaf for subject in subjects for leaf in await evidence.facts_of(read, subject)]
        agreement = {} if row.agreement_id is None else await agreement_page(read, row.agreement_id, english)
        line = _order_line(read, row, english)
        frame = await _frame(read)
        timeline = [
            {
                "at": _local(read, event.occurred_at),
                "title": event_title(event.type, english),
                "details": event_details(event.type, event.data, english),
                "actor": event.actor,
            }
            for event, following in zip(events, [*events[1:], None], strict=True)
            # Arrears are stated every day: of a run of such days the last one tells it all.
            if following is None or not (event.type == following.type == ArrearsAged.type)
        ]
        shown_leaves = [
            {
                "id": public_id(Prefix.LEAF, leaf.id),
                "position": leaf.position,
                "at": _local(read, leaf.recorded_at),
                "kind": leaf.kind,
                "title": event_title(f"xinzu.{leaf.kind}.v1", english) if leaf.kind.count(".") == 2 else "",
            }
            for leaf in sorted(leaves, key=lambda leaf: leaf.position)
        ]
    facts = [
        ("类型" if not english else "Family", line["family"]),
        ("申请" if not english else "Application", line["application_state"]),
        ("合同" if not english else "Agreement", f"{row.agreement_no or ''} {line['agreement_state']}"),
        ("已付期数" if not english else "Paid", line["paid"]),
        ("逾期" if not english else "Overdue", line["overdue"] or "—"),
    ]
    if row.family == "rental":  # what is financed has no device of ours
        facts.append(("设备" if not english else "Device", line["level"] or "—"))
    order = {
        **line,
        "facts": facts,
        "agreement_no": row.agreement_no,
        "agreement_id": None if row.agreement_id is None else public_id(Prefix.AGREEMENT, row.agreement_id),
    }
    return _page(request, "order.html", frame, order=order, agreement=agreement, timeline=timeline, leaves=shown_leaves)


async def _order(read: ReadSession, order_id: UUID) -> Row:
    found = await reading.orders(read, order_id=order_id, limit=1)
    if not found:
        raise NotFound()
    return found[0]


@get("/overview/orders/{application_id:str}/amounts/{item_id:str}", include_in_schema=False)
async def show_why(request: HttpRequest, application_id: FromPath[str], item_id: FromPath[str]) -> Response[Any]:
    """Why an amount is what it is."""
    if not _signed_in(request):
        return Redirect(_TO_LOGIN)
    _require(request)
    english = _english(request)
    async with open_reading(request) as read:
        row = await _order(read, id_from(Prefix.APPLICATION, application_id))
        if row.agreement_id is None:
            raise NotFound()
        why = await billing.why(read, row.agreement_id, _item(item_id))
        frame = await _frame(read)
    inputs = [(label(name, english), amount_or_text(name, value, english)) for name, value in why.inputs.items()]
    return _page(
        request,
        "why.html",
        frame,
        order_id=application_id,
        title=value_text(why.kind, english),
        amount=Money(why.amount_fen),
        words=why.words_en if english else why.words_zh,
        formula=why.formula,
        inputs=inputs,
        segments=[
            {
                "from_on": s.from_on,
                "to_on": s.to_on,
                "days": s.days,
                "base": Money(s.base_fen),
                "rate_pct": s.rate_pct,
                "year_fraction": None if s.year_fraction is None else s.year_fraction[:FRACTION_CHARS],
                "amount": None if s.amount_fen is None else Money(s.amount_fen),
            }
            for s in why.segments
        ],
    )


def _item(text: str) -> UUID:
    for prefix in (Prefix.INSTALMENT, Prefix.CHARGE):
        try:
            return parse_id(prefix, text)
        except ValueError:
            continue
    raise NotFound()


@get("/overview/evidence/{leaf_id:str}", include_in_schema=False)
async def verify_fact(request: HttpRequest, leaf_id: FromPath[str]) -> Response[Any]:
    """Check one fact's proof with nothing but the log's verifier key, and show every part of it."""
    if not _signed_in(request):
        return Redirect(_TO_LOGIN)
    _require(request)
    english = _english(request)
    async with open_reading(request) as read:
        proof = await evidence.prove(read, id_from(Prefix.LEAF, leaf_id))
        key = await evidence.vkey(read)
        frame = await _frame(read)
    reason, size = "", 0
    try:
        size = evidence.verify(proof, key).size
    except ValueError as error:
        reason = str(error)
    return _page(
        request,
        "evidence.html",
        frame,
        leaf_id=leaf_id,
        holds=not reason,
        reason=reason,
        size=size,
        position=proof.position,
        path=[base64.b64encode(node).decode() for node in proof.path],
        body=proof.body,
        note=proof.checkpoint,
        vkey=key,
        title=public_id(Prefix.LEAF, parse_id(Prefix.LEAF, leaf_id)) if english else "存证事实",
    )


def _problem_page(request: HttpRequest, problem: Problem) -> Response[str]:
    """A refusal as a page: what is wrong and the way back."""
    english = _english(request)
    return _page(
        request,
        "problem.html",
        status=status_of(problem),
        title=problem.title_en if english else problem.title_zh,
        detail=problem.detail_en if english else problem.detail_zh,
    )


_PAGES = [root, login_form, log_in_here, log_out_here, list_orders, show_order, show_why, verify_fact]
routes = [Router("/", route_handlers=_PAGES, exception_handlers={Problem: _problem_page})]
