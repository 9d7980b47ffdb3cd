"""One call of Alipay's gateway: signed, sent once, its answer believed only when it is signed; what is not known is said to be unknown.

The gateway's way of saying "I do not know yet" (10003, 20000, system errors), a missing answer and a signature that does not fit are all
Unknown: whoever called asks again, under the same number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

from xinzu.kernel.time import Instant
from xinzu.platform import alipay_wire as wire
from xinzu.platform.crypto.masking import redact
from xinzu.platform.outbound import Outbound, Reply, as_unknown
from xinzu.platform.providers import Failed, Ok, ProviderResult, Unknown

T = TypeVar("T")

OK_CODE = "10000"
UNDECIDED_CODES = frozenset({"10003", "20000"})
UNDECIDED_SUB_CODES = frozenset(
    {"SYSTEM_ERROR", "ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR", "isp.unknow-error", "aop.unknow-error"}
)


@dataclass(frozen=True, slots=True)
class GatewayApp:
    """An app at the gateway: where it is, whom it says it is, and the two keys."""

    app_id: str
    gateway_url: str
    private_key_pem: str = field(repr=False)
    alipay_public_key_pem: str


def common_parameters(app_id: str, method: str, at: Instant, notify_url: str = "") -> dict[str, str]:
    """What every request says besides its business."""
    return {
        "app_id": app_id,
        "method": method,
        "format": "json",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": wire.gateway_time(at),
        "version": "1.0",
        "notify_url": notify_url,
    }


async def call_gateway(
    outbound: Outbound,
    app: GatewayApp,
    parameters: Mapping[str, str],
    content: Mapping[str, object],
    read: Callable[[wire.Answer], T],
    *,
    shown_fields: frozenset[str],
    timeout_s: float | None = None,
) -> ProviderResult[T]:
    """Common parameters in the query, business content in the body, one signature over both. ``read`` makes the value of a success."""
    method = parameters["method"]
    body = {"biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":"))}
    complete = wire.signed({**parameters, **body}, app.private_key_pem)
    query = urlencode({name: value for name, value in complete.items() if name != "biz_content"})
    outcome = await outbound.call(
        "POST",
        f"{app.gateway_url}?{query}",
        content=urlencode(body).encode(),
        headers={"content-type": "application/x-www-form-urlencoded;charset=utf-8"},
        provider="alipay",
        operation=method,
        timeout_s=timeout_s,
        shown_fields=shown_fields,
    )
    return _result(outcome, app, method, read) if isinstance(outcome, Reply) else as_unknown(outcome)


def _result(reply: Reply, app: GatewayApp, method: str, read: Callable[[wire.Answer], T]) -> ProviderResult[T]:
    if reply.status != 200:
        return Unknown(f"http_{reply.status}")
    try:
        answer = wire.read_answer(reply.body.decode(), method, app.alipay_public_key_pem)
    except wire.SignatureBroken as broken:
        return Unknown("bad_signature", str(broken))
    except (wire.Malformed, UnicodeDecodeError) as broken:
        return Unknown("bad_reply", str(broken)[:200])
    if answer.code == OK_CODE:
        try:
            return Ok(read(answer))
        except (ValueError, KeyError) as broken:
            # Signed and successful, but without a member we rely on: it did happen, so only a query may settle it.
            return Unknown("bad_reply", str(broken)[:200])
    detail = redact(answer.text("sub_msg") or answer.text("msg"))[:500]
    if answer.code in UNDECIDED_CODES or answer.sub_code in UNDECIDED_SUB_CODES:
        return Unknown(f"provider_{answer.sub_code or answer.code}", detail)
    return Failed(answer.sub_code or answer.code, detail)
