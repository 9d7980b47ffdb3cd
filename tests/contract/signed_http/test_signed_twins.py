"""SMS, courier and identity over the signed contract: stories, replays, forgeries, and callbacks that can be believed."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import httpx
import pytest
from tests.contract.conftest import SIGNED_KEY_ID, SIGNED_SECRET, Receiver, Sandbox, eventually, fresh

from xinzu.kernel.time import FixedClock, SystemClock
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import Failed, Ok, ProviderResult, Unknown
from xinzu.platform.signed_http import (
    SIGNATURE_HEADER,
    JsonObject,
    SignatureRefused,
    SignedPeer,
    call_signed,
    signed_headers,
    verify_signed,
)

WALL = SystemClock()
CONTACT = {"name": "张三", "phone": "13812341234", "address": "浙江省杭州市西湖区文三路90号"}


async def post(outbound: Outbound, peer: SignedPeer, path: str, content: JsonObject) -> ProviderResult[JsonObject]:
    return await call_signed(outbound, peer, WALL, "POST", path, content, operation=path)


async def get(outbound: Outbound, peer: SignedPeer, path: str) -> ProviderResult[JsonObject]:
    return await call_signed(outbound, peer, WALL, "GET", path, operation=path)


def callbacks(receiver: Receiver, reference: str) -> list[JsonObject]:
    """Callbacks about one reference, each only when its signature holds."""
    found = []
    for path, headers, body in list(receiver.received):
        if path.startswith("/callback"):
            verify_signed(headers, "POST", path, body, {SIGNED_KEY_ID: SIGNED_SECRET}, WALL.now())
            event = json.loads(body)
            if event["reference"] == reference:
                found.append(event)
    return found


async def test_a_message_reaches_the_phone_and_its_sender_is_told(
    outbound: Outbound, peer: SignedPeer, sandbox: Sandbox, receiver: Receiver
) -> None:
    reference = fresh("sms")
    message: JsonObject = {
        "reference": reference,
        "phone": "13900001111",
        "template": "one_time_code",
        "text": "验证码 482913，5分钟内有效",
        "requested_at": "2025-06-03T02:00:00+00:00",
        "callback_url": f"{receiver.url}/callback/sms",
    }
    sent = await post(outbound, peer, "/sms/v1/messages", message)
    assert isinstance(sent, Ok)
    again = await post(outbound, peer, "/sms/v1/messages", message)
    assert isinstance(again, Ok)
    assert sent.value["message_id"] == again.value["message_id"]
    other = await post(outbound, peer, "/sms/v1/messages", {**message, "text": "other"})
    assert isinstance(other, Failed)
    assert other.code == "reference_conflict"
    (event,) = await eventually(lambda: callbacks(receiver, reference))
    assert (event["status"], event["message_id"]) == ("delivered", sent.value["message_id"])
    assert sandbox.control("GET", "/phone/13900001111/messages")[0]["text"] == message["text"]


async def test_a_dead_line_is_reported(outbound: Outbound, peer: SignedPeer, sandbox: Sandbox, receiver: Receiver) -> None:
    reference = fresh("sms")
    message: JsonObject = {
        "reference": reference,
        "phone": "13912340000",
        "template": "reminder",
        "text": "提醒",
        "requested_at": "2025-06-03T02:00:00+00:00",
        "callback_url": f"{receiver.url}/callback/sms",
    }
    assert isinstance(await post(outbound, peer, "/sms/v1/messages", message), Ok)
    (event,) = await eventually(lambda: callbacks(receiver, reference))
    assert event["status"] == "undelivered"
    assert sandbox.control("GET", "/phone/13912340000/messages") == []


async def test_a_parcel_is_followed_to_the_door(
    outbound: Outbound, peer: SignedPeer, sandbox: Sandbox, receiver: Receiver
) -> None:
    reference = fresh("parcel")
    booking: JsonObject = {
        "reference": reference,
        "sender": {**CONTACT, "name": "珊瑚数码"},
        "recipient": CONTACT,
        "item": "手机",
        "requested_at": "2025-06-03T02:00:00+00:00",
        "callback_url": f"{receiver.url}/callback/courier",
    }
    booked = await post(outbound, peer, "/courier/v1/shipments", booking)
    assert booked == await post(outbound, peer, "/courier/v1/shipments", booking)
    assert isinstance(booked, Ok)
    shipment_id = booked.value["shipment_id"]
    skipped = httpx.post(
        f"{sandbox.url}/control/courier/{shipment_id}",
        json={"status": "signed_for", "occurred_at": "2025-06-03T05:00:00+00:00"},
        trust_env=False,
    )
    assert (skipped.status_code, skipped.json()["code"]) == (409, "illegal_move")
    sandbox.control(
        "POST", f"/control/courier/{shipment_id}", {"status": "picked_up", "occurred_at": "2025-06-03T08:00:00+00:00"}
    )
    for day in ("04", "05"):
        sandbox.control("POST", "/control/courier/advance", {"occurred_at": f"2025-06-{day}T08:00:00+00:00"})
    events = await eventually(lambda: len(callbacks(receiver, reference)) == 3 and callbacks(receiver, reference))
    assert sorted((event["sequence"], event["status"]) for event in events) == [
        (2, "picked_up"),
        (3, "in_transit"),
        (4, "signed_for"),
    ]
    found = await get(outbound, peer, f"/courier/v1/shipments/{shipment_id}")
    assert isinstance(found, Ok)
    assert found.value["status"] == "signed_for"
    assert "文三路" not in sandbox.folder.joinpath("sandbox.db").read_bytes().decode("utf-8", "ignore")


@pytest.mark.parametrize(
    ("name", "identity_no", "passed", "code"),
    [
        ("张三", "11010519491231002X", True, "match"),
        ("买买提·艾力", "11010519491231002X", True, "match"),
        ("Zhang San", "11010519491231002X", False, "name_mismatch"),
        ("张三", "110105194912310021", False, "invalid_number"),
        ("李四", "330102199001011234", False, "not_found"),
    ],
)
async def test_a_name_is_checked_against_its_number(
    outbound: Outbound, peer: SignedPeer, sandbox: Sandbox, name: str, identity_no: str, passed: bool, code: str
) -> None:
    sandbox.control("POST", "/control/identity/refused", {"identity_no": "330102199001011234"})
    reference = fresh("idc")
    check: JsonObject = {"reference": reference, "name": name, "identity_no": identity_no}
    result = await post(outbound, peer, "/identity/v1/checks", check)
    assert isinstance(result, Ok)
    assert (result.value["passed"], result.value["code"]) == (passed, code)
    assert await get(outbound, peer, f"/identity/v1/checks/{reference}") == result


async def test_an_unanswered_check_is_found_by_its_reference(outbound: Outbound, peer: SignedPeer, sandbox: Sandbox) -> None:
    reference = fresh("idc")
    sandbox.fault("identity", "no_reply")
    check: JsonObject = {"reference": reference, "name": "张三", "identity_no": "11010519491231002X"}
    assert isinstance(await post(outbound, peer, "/identity/v1/checks", check), Unknown)
    found = await get(outbound, peer, f"/identity/v1/checks/{reference}")
    assert isinstance(found, Ok)
    assert found.value["passed"] is True


async def test_a_reply_is_believed_only_under_our_secret(outbound: Outbound, peer: SignedPeer, sandbox: Sandbox) -> None:
    sandbox.fault("sms", "forged_reply")
    forged = await get(outbound, peer, "/sms/v1/messages/x")
    assert isinstance(forged, Unknown)
    assert forged.reason == "bad_signature"
    stranger = await get(outbound, dataclasses.replace(peer, secret="guessed"), "/sms/v1/messages/x")
    assert isinstance(stranger, Unknown)
    busy_peer = peer
    sandbox.fault("sms", "busy")
    busy = await get(outbound, busy_peer, "/sms/v1/messages/x")
    assert isinstance(busy, Unknown)
    assert busy.reason == "http_503"


async def test_a_stale_request_is_refused_under_a_signature(outbound: Outbound, peer: SignedPeer) -> None:
    yesterday = FixedClock(WALL.now() - timedelta(minutes=6))
    headers = signed_headers(peer.key_id, peer.secret, "GET", "/sms/v1/messages/x", b"", yesterday.now())
    reply = httpx.get(f"{peer.base_url}/sms/v1/messages/x", headers=headers, trust_env=False)
    assert (reply.status_code, reply.json()["code"]) == (401, "stale")
    assert SIGNATURE_HEADER in reply.headers


async def test_a_replayed_request_is_refused(peer: SignedPeer) -> None:
    target = "/sms/v1/messages/x"
    headers = signed_headers(peer.key_id, peer.secret, "GET", target, b"", WALL.now())
    codes = [httpx.get(f"{peer.base_url}{target}", headers=headers, trust_env=False).json()["code"] for _ in range(2)]
    assert codes == ["message_not_found", "replayed"]


@pytest.mark.parametrize("change", ["method", "path", "body", "signature", "key"])
async def test_a_changed_request_is_refused(peer: SignedPeer, change: str) -> None:
    target, body = "/sms/v1/messages", b'{"reference":"x"}'
    headers = signed_headers(peer.key_id, peer.secret, "GET" if change == "method" else "POST", target, body, WALL.now())
    if change == "signature":
        headers[SIGNATURE_HEADER] = "0" * 64
    if change == "key":
        headers["x-xinzu-key"] = "nobody"
    url = f"{peer.base_url}{target}" + ("?x=1" if change == "path" else "")
    reply = httpx.post(url, content=body + (b" " if change == "body" else b""), headers=headers, trust_env=False)
    assert (reply.status_code, reply.json()["code"]) == (401, "unknown_key" if change == "key" else "bad_signature")


async def test_a_malformed_body_names_its_field(outbound: Outbound, peer: SignedPeer) -> None:
    result = await post(outbound, peer, "/identity/v1/checks", {"reference": "x", "name": "张三"})
    assert isinstance(result, Failed)
    assert result.code == "request_invalid"
    assert "identity_no" in result.detail


def test_a_callback_cannot_be_turned_to_another_address() -> None:
    headers = signed_headers("k", "s", "POST", "/callback/sms?tenant=1", b"{}", WALL.now())
    verify_signed(headers, "POST", "/callback/sms?tenant=1", b"{}", {"k": "s"}, WALL.now())
    with pytest.raises(SignatureRefused, match="bad_signature"):
        verify_signed(headers, "POST", "/callback/sms?tenant=2", b"{}", {"k": "s"}, WALL.now())
