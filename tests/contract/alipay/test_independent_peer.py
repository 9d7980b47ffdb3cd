"""What we sign is checked by the openssl command over a signing string put together here by hand: no code of ours in between."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import httpx
import pytest
from tests.contract.conftest import Sandbox, fresh

from xinzu.back.payments.providers.alipay import AlipayAccount, AlipayChannel
from xinzu.back.payments.providers.base import FreezeOrder
from xinzu.kernel.time import FixedClock
from xinzu.platform.outbound import Outbound

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")


def openssl_accepts(folder: Path, public_pem: str, message: str, signature: str) -> bool:
    """``openssl dgst -sha256 -verify`` of a base64 signature."""
    (folder / "public.pem").write_text(public_pem)
    (folder / "message").write_bytes(message.encode())
    (folder / "signature").write_bytes(base64.b64decode(signature))
    command = [str(OPENSSL), "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def public_half(private_pem: str) -> str:
    command = [str(OPENSSL), "pkey", "-pubout"]
    return subprocess.run(command, input=private_pem.encode(), capture_output=True, check=True).stdout.decode()


def test_openssl_accepts_an_order_string(alipay: AlipayChannel, account: AlipayAccount, tmp_path: Path) -> None:
    order = alipay.freeze_order(FreezeOrder("dep-1", "req-1", "押金 & 租金=1 100%", 123_456))
    # By hand: split at & and =, decode, drop sign, sort, join.
    pairs = sorted((name, unquote_plus(value)) for name, _, value in (part.partition("=") for part in order.split("&")))
    signature = dict(pairs)["sign"]
    message = "&".join(f"{name}={value}" for name, value in pairs if name != "sign")
    assert '"amount":"1234.56"' in message
    public_pem = public_half(account.private_key_pem)
    assert openssl_accepts(tmp_path, public_pem, message, signature)
    assert not openssl_accepts(tmp_path, public_pem, message.replace("1234.56", "0.01"), signature)


async def test_openssl_accepts_a_gateway_request_and_its_answer(
    sandbox: Sandbox, account: AlipayAccount, clock: FixedClock, tmp_path: Path
) -> None:
    seen: list[httpx.Request] = []
    answers: list[bytes] = []
    async with Outbound() as outbound:

        async def watch_request(request: httpx.Request) -> None:
            seen.append(request)

        async def watch_answer(response: httpx.Response) -> None:
            answers.append(await response.aread())

        outbound._client.event_hooks = {"request": [watch_request], "response": [watch_answer]}
        await AlipayChannel(account, outbound, clock).query_trade(fresh("t"))
    (request,), (answer,) = seen, answers
    params = dict(parse_qsl(urlsplit(str(request.url)).query)) | dict(parse_qsl(request.content.decode()))
    message = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "sign")
    assert openssl_accepts(tmp_path, public_half(account.private_key_pem), message, params["sign"])

    head, _, signature = answer.decode().rpartition(',"sign":"')
    content = head.partition('{"alipay_trade_query_response":')[2]
    assert openssl_accepts(tmp_path, account.alipay_public_key_pem, content, signature.removesuffix('"}'))


async def test_the_gateway_takes_everything_in_the_query_by_get_too(
    alipay: AlipayChannel, account: AlipayAccount, sandbox: Sandbox
) -> None:
    order = FreezeOrder(fresh("dep"), fresh("req"), "押金", 100)
    reply = httpx.get(f"{account.gateway_url}?{alipay.freeze_order(order)}", trust_env=False)
    assert reply.status_code == 200
    # A true signature over a method the gateway does not serve over HTTP: the parameters were read and then refused.
    assert "isv.invalid-method" in reply.text
