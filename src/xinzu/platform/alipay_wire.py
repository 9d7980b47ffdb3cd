"""The Alipay gateway protocol without its business: what is signed, in which order, and how an answer is believed.

Pure functions of text. Source: the gateway's published signing rules; the details that matter are that requests are signed over
raw, un-encoded values and answers over the exact characters sent, so an answer is never parsed and written again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from xinzu.kernel.time import SHANGHAI, Instant, as_utc
from xinzu.platform.crypto.signing import rsa2_sign, rsa2_verify

_TIME = "%Y-%m-%d %H:%M:%S"
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


class Malformed(ValueError):
    """A text that is not what the protocol says it is."""


class SignatureBroken(ValueError):
    """An answer without a signature, or with one that does not fit its content."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verified object of one gateway answer."""

    content: Mapping[str, object]

    @property
    def code(self) -> str:
        return self.text("code")

    @property
    def sub_code(self) -> str:
        return self.text("sub_code")

    def text(self, name: str) -> str:
        """A member as text; empty when it is missing."""
        value = self.content.get(name)
        return "" if value is None else str(value)


def string_to_sign(params: Mapping[str, str], dropped: frozenset[str] = frozenset({"sign"})) -> str:
    """Sorted ``name=value`` joined by ``&``, raw values, empty ones and the ``dropped`` left out.

    >>> string_to_sign({"b": "2 ", "a": "1", "sign": "x", "c": ""})
    'a=1&b=2 '
    """
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name not in dropped and params[name] != "")


def signed(params: Mapping[str, str], private_pem: str) -> dict[str, str]:
    """The parameters with their RSA2 signature; empty ones are not sent."""
    kept = {name: value for name, value in params.items() if value != ""}
    return {**kept, "sign": rsa2_sign(private_pem, string_to_sign(kept).encode())}


def order_string(params: Mapping[str, str], private_pem: str) -> str:
    """A signed order for the wallet: sorted and URL-encoded, the signature last."""
    complete = signed(params, private_pem)
    return urlencode([(name, complete[name]) for name in sorted(complete, key=lambda name: (name == "sign", name))])


def read_answer(text: str, method: str, alipay_public_pem: str) -> Answer:
    """The answer to ``method``, believed only when its signature fits the characters as sent.

    Raises Malformed for what is no gateway answer and SignatureBroken for an unsigned or wrongly signed one; the gateway's own
    unsigned refusals (``error_response``) are therefore not believed either, and the caller asks again.
    """
    members = _members(text)
    name = method.replace(".", "_") + "_response"
    span = members.get(name) or members.get("error_response")
    if span is None:
        raise Malformed(f"the answer has no {name}")
    if "sign" not in members:
        raise SignatureBroken("the answer is not signed")
    signature = _decode(text, *members["sign"])
    if not isinstance(signature, str) or not rsa2_verify(alipay_public_pem, text[span[0] : span[1]].encode(), signature):
        raise SignatureBroken("the answer's signature does not fit its content")
    content = _decode(text, *span)
    if not isinstance(content, dict):
        raise Malformed("the answer's content is no object")
    return Answer(content)


def notification_is_signed(form: Mapping[str, str], alipay_public_pem: str) -> bool:
    """Whether a notification's signature fits: ``sign`` and ``sign_type`` are both left out of what is signed."""
    text = string_to_sign(form, frozenset({"sign", "sign_type"}))
    return rsa2_verify(alipay_public_pem, text.encode(), form.get("sign", ""))


def gateway_time(at: Instant) -> str:
    """An instant as the gateway writes it: Beijing time without an offset."""
    return at.astimezone(SHANGHAI).strftime(_TIME)


def from_gateway_time(text: str) -> Instant:
    """The instant of a gateway time; raises Malformed.

    >>> from_gateway_time("2026-11-22 08:00:00").isoformat()
    '2026-11-22T00:00:00+00:00'
    """
    try:
        return as_utc(datetime.strptime(text, _TIME).replace(tzinfo=SHANGHAI))
    except ValueError:
        raise Malformed(f"not a gateway time: {text[:40]!r}") from None


def _members(text: str) -> dict[str, tuple[int, int]]:
    """Where each top-level member's value stands in a JSON object's text. Finds the exact characters, whatever strings hold."""
    spans: dict[str, tuple[int, int]] = {}
    try:
        at = _expect(text, _skip(text, 0), "{")
        while text[at : at + 1] != "}":
            name, at = _DECODER.raw_decode(text, at)
            start = _skip(text, _expect(text, _skip(text, at), ":"))
            _, end = _DECODER.raw_decode(text, start)
            if not isinstance(name, str) or name in spans:
                raise Malformed("the answer names a member twice")
            spans[name] = (start, end)
            at = _skip(text, end)
            if text[at : at + 1] == ",":
                at = _skip(text, at + 1)
        if _skip(text, at + 1) != len(text):
            raise Malformed("the answer goes on after its end")
    except (json.JSONDecodeError, RecursionError):
        raise Malformed("the answer is not JSON") from None
    return spans


def _decode(text: str, start: int, end: int) -> object:
    found: object = json.loads(text[start:end])
    return found


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _expect(text: str, at: int, char: str) -> int:
    if text[at : at + 1] != char:
        raise Malformed("the answer is not a JSON object")
    return _skip(text, at + 1)
