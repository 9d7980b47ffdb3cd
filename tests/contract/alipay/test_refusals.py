"""The gateway refuses malformed requests before any business, always with HTTP 200, and nothing is written."""

from __future__ import annotations

from urllib.parse import urlencode

import httpx
import pytest
from tests.contract.conftest import Sandbox

from xinzu.back.payments.providers.alipay import AlipayAccount
from xinzu.platform import alipay_wire as wire

GOOD = {
    "method": "alipay.trade.query",
    "format": "json",
    "charset": "utf-8",
    "sign_type": "RSA2",
    "timestamp": "2025-06-03 10:00:00",
    "version": "1.0",
    "biz_content": '{"out_trade_no":"nothing"}',
}


@pytest.mark.parametrize(
    ("change", "sub_code"),
    [
        ({}, "ACQ.TRADE_NOT_EXIST"),
        ({"method": ""}, "isv.missing-method"),
        ({"method": "alipay.trade.everything"}, "isv.invalid-method"),
        ({"timestamp": ""}, "isv.missing-timestamp"),
        ({"timestamp": "2025/06/03 10:00:00"}, "isv.invalid-timestamp"),
        ({"timestamp": "2025-02-30 10:00:00"}, "isv.invalid-timestamp"),
        ({"version": "2.0"}, "isv.invalid-version"),
        ({"charset": "gbk"}, "isv.invalid-charset"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"format": "xml"}, "isv.invalid-format"),
        ({"biz_content": "[]"}, "isv.invalid-parameter"),
        ({"biz_content": "{"}, "isv.invalid-parameter"),
        ({"biz_content": "{}"}, "ACQ.INVALID_PARAMETER"),
        ({"method": "alipay.fund.auth.order.unfreeze", "biz_content": '{"auth_no":"1"}'}, "ILLEGAL_ARGUMENT"),
        (
            {"method": "alipay.fund.auth.order.unfreeze", "biz_content": '{"auth_no":"1","out_request_no":"2","amount":"1.005"}'},
            "ILLEGAL_ARGUMENT",
        ),
        (
            {"method": "alipay.fund.auth.order.unfreeze", "biz_content": '{"auth_no":"1","out_request_no":"2","amount":"-1"}'},
            "ILLEGAL_ARGUMENT",
        ),
    ],
)
def test_a_malformed_request_is_refused_by_name(
    sandbox: Sandbox, account: AlipayAccount, change: dict[str, str], sub_code: str
) -> None:
    params = wire.signed({**GOOD, "app_id": account.app_id, **change}, account.private_key_pem)
    reply = httpx.post(account.gateway_url, content=urlencode(params), trust_env=False)
    assert reply.status_code == 200
    assert f'"sub_code":"{sub_code}"' in reply.text


def test_a_changed_parameter_breaks_the_signature(sandbox: Sandbox, account: AlipayAccount) -> None:
    params = wire.signed({**GOOD, "app_id": account.app_id}, account.private_key_pem)
    for change in ({"biz_content": '{"out_trade_no":"other"}'}, {"notify_url": "http://127.0.0.1:1/"}, {"sign": "AAAA"}):
        reply = httpx.post(account.gateway_url, content=urlencode({**params, **change}), trust_env=False)
        assert "isv.invalid-signature" in reply.text
