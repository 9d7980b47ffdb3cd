"""The gateway's side of Alipay's protocol, written on its own and not from the client's, so that each checks the other.

What is refused before any business is looked at: missing or unknown common parameters, an unknown app, a signature that does not
fit. Every answer is HTTP 200, signed over the exact characters sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from xinzu.app.sandbox.merchants import AlipayMerchant, Merchants
from xinzu.platform.crypto.signing import rsa2_sign, rsa2_verify

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_REQUIRED = (
    ("method", "isv.missing-method"),
    ("app_id", "isv.missing-app-id"),
    ("sign_type", "isv.missing-signature-type"),
    ("sign", "isv.missing-signature"),
    ("timestamp", "isv.missing-timestamp"),
    ("version", "isv.missing-version"),
    ("charset", "isv.missing-charset"),
)
_MESSAGES = {
    "20000": "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40006": "Insufficient Permissions",
}
FORGED_SIGNATURE = "Zm9yZ2Vk" * 43


class Refused(Exception):
    """The gateway says no: its code, sub code and words."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(f"{code} {sub_code}")
        self.code = code
        self.sub_code = sub_code
        self.sub_msg = sub_msg


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """A request whose signature held: who asks, what, and at which time of theirs. The twin lives at its merchants' time."""

    merchant: AlipayMerchant
    method: str
    at: str
    notify_url: str
    content: Mapping[str, object]

    def text(self, name: str) -> str:
        """A business parameter as text, empty when it is missing."""
        value = self.content.get(name)
        return "" if value is None else str(value)


def parameters(query: str, body: str) -> dict[str, str]:
    """Query and form body as one: the official client splits them over both, others put everything into one."""
    return dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(body, keep_blank_values=True))


def read_request(params: Mapping[str, str], merchants: Merchants, methods: frozenset[str]) -> GatewayRequest:
    """Believe a request or refuse it as the gateway does."""
    for name, sub_code in _REQUIRED:
        if not params.get(name):
            raise Refused("40001", sub_code, f"缺少参数 {name}")
    if params["method"] not in methods:
        raise Refused("40002", "isv.invalid-method", "不存在的方法名")
    if params["sign_type"] != "RSA2":
        raise Refused("40002", "isv.invalid-signature-type", "签名类型无效")
    if params["charset"].lower() != "utf-8":
        raise Refused("40002", "isv.invalid-charset", "字符集错误")
    if params.get("format", "json").lower() != "json":
        raise Refused("40002", "isv.invalid-format", "无效的数据格式")
    if params["version"] != "1.0":
        raise Refused("40002", "isv.invalid-version", "无效的版本号")
    if not _is_time(params["timestamp"]):
        raise Refused("40002", "isv.invalid-timestamp", "无效的时间戳，格式为 yyyy-MM-dd HH:mm:ss")
    merchant = merchants.alipay(params["app_id"])
    if merchant is None:
        raise Refused("40002", "isv.invalid-app-id", "无效的AppID参数")
    if not rsa2_verify(merchant.public_key_pem, _signed_text(params, {"sign"}).encode(), params["sign"]):
        raise Refused("40002", "isv.invalid-signature", "验签出错，请检查签名原文、密钥与编码")
    try:
        content = json.loads(params.get("biz_content") or "null")
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Refused("40002", "isv.invalid-parameter", "biz_content 不是合法的 JSON 对象")
    return GatewayRequest(merchant, params["method"], params["timestamp"], params.get("notify_url", ""), content)


def answer(method: str, content: Mapping[str, object], private_pem: str | None) -> str:
    """The signed envelope. Without a key it is unsigned, as for an app the gateway does not know."""
    name = method.replace(".", "_") + "_response"
    inner = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    if private_pem is None:
        return f'{{"{name}":{inner}}}'
    return f'{{"{name}":{inner},"sign":"{rsa2_sign(private_pem, inner.encode())}"}}'


def forged_answer(method: str, content: Mapping[str, object]) -> str:
    """An envelope under a signature that fits nothing."""
    inner = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f'{{"{method.replace(".", "_")}_response":{inner},"sign":"{FORGED_SIGNATURE}"}}'


def success(content: Mapping[str, object]) -> dict[str, object]:
    """The content of a successful answer."""
    return {"code": "10000", "msg": "Success", **content}


def refusal(refused: Refused) -> dict[str, object]:
    """The content of a refusing answer."""
    return {
        "code": refused.code,
        "msg": _MESSAGES.get(refused.code, "Business Failed"),
        "sub_code": refused.sub_code,
        "sub_msg": refused.sub_msg,
    }


def notify_form(fields: Mapping[str, str], private_pem: str) -> bytes:
    """A signed notification as its form body: signed without ``sign`` and ``sign_type``, both then added."""
    kept = {name: value for name, value in fields.items() if value != ""}
    signature = rsa2_sign(private_pem, _signed_text(kept, {"sign", "sign_type"}).encode())
    return urlencode({**kept, "sign_type": "RSA2", "sign": signature}).encode()


def forged_form(fields: Mapping[str, str]) -> bytes:
    """The same notification under a signature that fits nothing."""
    return urlencode({**fields, "sign_type": "RSA2", "sign": FORGED_SIGNATURE}).encode()


def _signed_text(params: Mapping[str, str], dropped: set[str]) -> str:
    pairs = sorted((name, value) for name, value in params.items() if name not in dropped and value)
    return "&".join("=".join(pair) for pair in pairs)


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.strptime(text, TIME_FORMAT)  # noqa: DTZ007 (only its form is checked)
    except ValueError:
        return False
    return True
