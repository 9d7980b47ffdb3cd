"""Routes of payments: the customer's pre-authorisation, payments, and Alipay's notifications."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
import structlog
from litestar import MediaType, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from prometheus_client import Counter

from xinzu.back.payments import schemas
from xinzu.back.payments.channels import CALLBACK_PATH, alipay_of
from xinzu.back.payments.commands.mandates import check_mandates
from xinzu.back.payments.commands.notifications import NotificationTaken, ReceivedNotification, record_notifications
from xinzu.back.payments.commands.payments import pay_actively
from xinzu.back.payments.errors import MandateUnknown, PaymentUnknown
from xinzu.back.payments.model import MandateState, NotificationOutcome
from xinzu.back.payments.providers.alipay import SHOWN_FIELDS, AlipayChannel
from xinzu.back.payments.providers.base import FreezeOrder, NotificationRefused
from xinzu.back.payments.store import mandates, notifications, payments
from xinzu.kernel.errors import NotFound
from xinzu.kernel.ids import Prefix, public_id
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission, system_actor
from xinzu.platform.commands import Request as CommandRequest
from xinzu.platform.http.door import (
    Cursor,
    HttpRequest,
    IdempotencyKey,
    Limit,
    id_from,
    reading,
    requires,
    run,
    runtime_of,
    submit_as,
)
from xinzu.platform.http.problems import Malformed

log = structlog.get_logger(__name__)

READER = [requires(Permission.PAYMENT_READ)]
ORDER_LIFE_MINUTES = 7 * 24 * 60  # from the customer's first look; Alipay allows at most fifteen days
FIELDS_MAX = 128
VALUE_CHARS_MAX = 512
_SLUG = re.compile(r"[a-z][a-z0-9-]{1,30}")
_KEPT_FIELDS = SHOWN_FIELDS | {"notify_id", "notify_type", "notify_time", "total_freeze_amount", "total_pay_amount", "refund_fee"}
_SENDER = system_actor("payments.alipay_notification")

NOTIFICATIONS = Counter("xinzu_payments_notifications", "Payment notifications received, by what became of them", ["outcome"])

Outcome = Annotated[
    NotificationOutcome | None, QueryParameter(name="outcome", required=False, description="Only messages with this outcome")
]


class NotificationDisbelieved(Malformed):
    """The message is not the provider's, or contradicts what was agreed. It is answered without ``success``."""

    code = "payments.notification_refused"
    title_zh = "通知未被接受"
    title_en = "The notification is refused"


@get(
    "/v1/agreements/{agreement_id:str}/pre-authorisation",
    tags=["payments"],
    operation_id="get_pre_authorisation",
    guards=READER,
)
async def get_pre_authorisation(request: HttpRequest, agreement_id: FromPath[str]) -> schemas.PreAuthorisationView:
    """The pre-authorisation and, until the customer confirms it, the signed order for the wallet."""
    async with reading(request) as read:
        mandate = await mandates.mandate_of(read, id_from(Prefix.AGREEMENT, agreement_id))
        if mandate is None:
            raise MandateUnknown()
        may_confirm = mandate.state is MandateState.INTENDED and mandate.release_due_since is None
        channel = await alipay_of(runtime_of(request), read) if may_confirm else None
    order_string = None
    if channel is not None:
        order_string = channel.freeze_order(
            FreezeOrder(
                order_no=mandate.out_order_no,
                request_no=mandate.out_request_no,
                title=mandate.title,
                amount_fen=mandate.authorised_fen,
                expires_in_minutes=ORDER_LIFE_MINUTES,
            )
        )
    return schemas.PreAuthorisationView.of(mandate, order_string)


@post(
    "/v1/agreements/{agreement_id:str}/pre-authorisation/check",
    tags=["payments"],
    operation_id="check_pre_authorisation",
    guards=[requires(Permission.PAYMENT_WRITE)],
    status_code=202,
)
async def check_pre_authorisation(
    request: HttpRequest, agreement_id: FromPath[str], idempotency_key: IdempotencyKey = None
) -> Response[schemas.PreAuthorisationView]:
    """The customer is back from the wallet: ask Alipay instead of waiting for its notification. Look again for the outcome."""
    return await run(request, check_mandates, id_from(Prefix.AGREEMENT, agreement_id), key=idempotency_key, status=202)


@get("/v1/agreements/{agreement_id:str}/payments", tags=["payments"], operation_id="list_payments", guards=READER)
async def list_payments(
    request: HttpRequest, agreement_id: FromPath[str], cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.PaymentPage:
    """Attempts to collect from an agreement, newest first."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        rows = await payments.payments_of(read, id_from(Prefix.AGREEMENT, agreement_id), before, limit + 1)
    page = page_of(rows, limit, lambda payment: payment.id)
    return schemas.PaymentPage(items=[schemas.PaymentView.of(row) for row in page.items], next_cursor=page.next_cursor)


@post(
    "/v1/agreements/{agreement_id:str}/payments",
    tags=["payments"],
    operation_id="pay_actively",
    guards=[requires(Permission.PAYMENT_WRITE)],
    status_code=202,
)
async def pay_now(
    request: HttpRequest, agreement_id: FromPath[str], data: JSONBody[schemas.PayNow], idempotency_key: IdempotencyKey = None
) -> Response[schemas.PaymentView]:
    """The customer pays out of the pre-authorisation now. Look at the Location for the outcome."""
    body = schemas.ActivePayment(agreement_id=id_from(Prefix.AGREEMENT, agreement_id), amount_fen=data.amount_fen)
    return await run(request, pay_actively, body, key=idempotency_key, status=202, location="/v1/payments/{id}")


@get("/v1/payments/{payment_id:str}", tags=["payments"], operation_id="get_payment", guards=READER)
async def get_payment(request: HttpRequest, payment_id: FromPath[str]) -> schemas.PaymentView:
    """One attempt to collect."""
    id_ = id_from(Prefix.PAYMENT, payment_id)
    async with reading(request) as read:
        found = await payments.payments_by_id(read, [id_])
    if id_ not in found:
        raise PaymentUnknown()
    return schemas.PaymentView.of(found[id_])


@get("/v1/payments/notifications", tags=["payments"], operation_id="list_payment_notifications", guards=READER)
async def list_notifications(
    request: HttpRequest, outcome: Outcome = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.NotificationPage:
    """Messages of the provider, newest first: ``unmatched`` ones are about nothing we know, ``refused`` ones contradict us."""
    before = decode_cursor(cursor)
    async with reading(request) as read:
        rows = await notifications.listed(read, outcome, before, limit + 1)
    page = page_of(rows, limit, lambda row: row.id)
    return schemas.NotificationPage(
        items=[
            schemas.NotificationView(
                id=public_id(Prefix.NOTIFICATION, row.id),
                notify_id=row.notify_id,
                kind=row.kind,
                outcome=row.outcome,
                reason=row.reason,
                deliveries=row.deliveries,
                form=dict(row.form),
                received_at=row.received_at,
            )
            for row in page.items
        ],
        next_cursor=page.next_cursor,
    )


@post(
    f"{CALLBACK_PATH}/{{tenant_slug:str}}",
    tags=["payments"],
    operation_id="take_alipay_notification",
    security=[{}],
    status_code=200,
    media_type=MediaType.TEXT,
)
async def take_alipay_notification(request: HttpRequest, tenant_slug: FromPath[str]) -> str:
    """Alipay's notify: a signed form. Answered with the plain text ``success`` once the message is recorded.

    A message about an order nobody knows is recorded too and answered ``success``, because sending it again would change nothing.
    One whose signature does not hold is refused and leaves no trace but a counter.
    """
    if not _SLUG.fullmatch(tenant_slug):
        raise NotFound()
    runtime = runtime_of(request)
    tenant_id = await runtime.tenant_id_of(tenant_slug)
    form = _form(await request.body())
    async with runtime.reading(tenant_id) as read:
        channel = await alipay_of(runtime, read)
    received = _believed(channel, form)
    answered = await submit_as(request, tenant_id, _SENDER, record_notifications, CommandRequest(received))
    taken = msgspec.json.decode(answered.content, type=NotificationTaken)
    NOTIFICATIONS.labels("repeated" if taken.again else taken.outcome.value).inc()
    if taken.outcome is NotificationOutcome.REFUSED:
        log.error("payment notification contradicts what we know", reason=taken.reason)
        raise NotificationDisbelieved(reason=taken.reason)
    return "success"


def _form(body: bytes) -> dict[str, str]:
    """The form's members; refuses what is no form of reasonable size."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        pairs = []
    form = dict(pairs)
    if not form or len(form) != len(pairs) or any("\0" in text for pair in pairs for text in pair):
        raise _disbelieved("malformed")
    return form


def _believed(channel: AlipayChannel, form: Mapping[str, str]) -> ReceivedNotification:
    """The message to record, when its signature holds; raises NotificationDisbelieved otherwise."""
    notification, reason = None, None
    try:
        notification = channel.read_notification(form)
    except NotificationRefused as refused:
        reason = refused.code
        if reason == "bad_signature" or not form.get("notify_id"):
            raise _disbelieved(reason) from None
    return ReceivedNotification(
        notify_id=form["notify_id"][:VALUE_CHARS_MAX],
        kind=form.get("notify_type", "")[:VALUE_CHARS_MAX],
        digest=hashlib.sha256("&".join(f"{name}={form[name]}" for name in sorted(form) if name != "sign").encode()).hexdigest(),
        shown={name: value[:VALUE_CHARS_MAX] for name, value in form.items() if name in _KEPT_FIELDS},
        notification=notification,
        reason=reason,
    )


def _disbelieved(reason: str) -> NotificationDisbelieved:
    NOTIFICATIONS.labels("disbelieved").inc()
    log.warning("payment notification not believed", reason=reason)
    return NotificationDisbelieved(reason=reason)


routes = [
    get_pre_authorisation,
    check_pre_authorisation,
    list_payments,
    pay_now,
    get_payment,
    list_notifications,
    take_alipay_notification,
]
