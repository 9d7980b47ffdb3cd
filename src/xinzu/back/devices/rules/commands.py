"""What a command and a report say, byte for byte: canonical JSON (sorted members, no white space), signed as it stands.

A device accepts a command only under a pinned key, with its own tenant and device in it, a counter above the last one it acted on, an
expiry that has not passed, and the emergency numbers in its policy. Signing and checking signatures is done by the caller.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from xinzu.back.devices.errors import ReportRefused
from xinzu.back.devices.model import AckResult, Level, Report, ReportKind, SignedReport
from xinzu.kernel.ids import Prefix, parse_id, public_id
from xinzu.kernel.time import Instant

COMMAND_VERSION = 1
EMERGENCY_NUMBERS = ("110", "119", "120", "122")
REPORT_BYTES_MAX = 4096
NUMBER_MAX = 2**53 - 1
_REPORT_MEMBERS = frozenset(
    {"at", "command_id", "counter", "device", "kind", "level", "reason", "result", "sequence", "tenant", "v"}
)


def canonical(content: Mapping[str, Any]) -> bytes:
    """The one spelling of a body.

    >>> canonical({"b": 1, "a": "x"})
    b'{"a":"x","b":1}'
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def command_body(
    *, tenant_id: int, device_id: UUID, command_id: UUID, level: Level, counter: int, issued_at: Instant, expires_at: Instant
) -> bytes:
    """What is signed. Instants are whole seconds since the epoch; ``policy`` is law, not a setting: the numbers always work."""
    return canonical(
        {
            "command_id": public_id(Prefix.COMMAND, command_id),
            "counter": counter,
            "device": public_id(Prefix.DEVICE, device_id),
            "expires_at": int(expires_at.timestamp()),
            "issued_at": int(issued_at.timestamp()),
            "level": str(level),
            "policy": {"emergency_numbers": list(EMERGENCY_NUMBERS)},
            "tenant": str(tenant_id),
            "v": COMMAND_VERSION,
        }
    )


def envelope(body: bytes, signature: bytes, key_number: int | None = None) -> bytes:
    """Body and signature as they travel: base64, so that no parser in between can change a byte of what was signed."""
    content: dict[str, Any] = {
        "body": base64.b64encode(body).decode("ascii"),
        "signature": base64.b64encode(signature).decode("ascii"),
    }
    if key_number is not None:
        content["key"] = key_number
    return canonical(content)


def report_body(report: Report) -> bytes:
    """A report as a device signs it."""
    return canonical(
        {
            "at": report.at_s,
            "command_id": "" if report.command_id is None else public_id(Prefix.COMMAND, report.command_id),
            "counter": report.counter,
            "device": report.device,
            "kind": str(report.kind),
            "level": str(report.level),
            "reason": report.reason,
            "result": "" if report.result is None else str(report.result),
            "sequence": report.sequence,
            "tenant": report.tenant,
            "v": COMMAND_VERSION,
        }
    )


def read_report(payload: bytes) -> SignedReport:
    """A report as it came, read strictly; raises ReportRefused. Its signature is still to be checked."""
    if len(payload) > REPORT_BYTES_MAX:
        raise ReportRefused("too_large")
    try:
        outer = json.loads(payload)
        body = base64.b64decode(outer["body"], validate=True)
        signature = base64.b64decode(outer["signature"], validate=True)
        content = json.loads(body)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise ReportRefused("malformed") from None
    if not isinstance(content, dict) or content.keys() != _REPORT_MEMBERS or len(signature) != 64:
        raise ReportRefused("malformed")
    if content["v"] != COMMAND_VERSION:
        raise ReportRefused("unknown_version")
    try:
        report = Report(
            tenant=_text(content, "tenant"),
            device=_text(content, "device"),
            sequence=_number(content, "sequence"),
            kind=ReportKind(_text(content, "kind")),
            level=Level(_text(content, "level")),
            counter=_number(content, "counter"),
            at_s=_number(content, "at"),
            command_id=parse_id(Prefix.COMMAND, _text(content, "command_id")) if content["command_id"] != "" else None,
            result=AckResult(_text(content, "result")) if content["result"] != "" else None,
            reason=_text(content, "reason")[:64],
        )
    except ValueError:
        raise ReportRefused("malformed") from None
    if (report.kind is ReportKind.ACK) != (report.command_id is not None and report.result is not None):
        raise ReportRefused("malformed")
    return SignedReport(report=report, body=body, signature=signature)


def check_addressee(signed: SignedReport, *, tenant_id: int, device_id: UUID, sequence_seen: int) -> None:
    """A report counts for the device it names, once: raises ReportRefused when it is another's, or an old one."""
    report = signed.report
    if report.tenant != str(tenant_id) or report.device != public_id(Prefix.DEVICE, device_id):
        raise ReportRefused("wrong_device")
    if report.sequence <= sequence_seen:
        raise ReportRefused("replayed")


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content[name]
    if not isinstance(value, str) or len(value) > 64:
        raise ReportRefused("malformed")
    return value


def _number(content: Mapping[str, Any], name: str) -> int:
    value = content[name]
    if type(value) is not int or not 0 <= value <= NUMBER_MAX:
        raise ReportRefused("malformed")
    return value
