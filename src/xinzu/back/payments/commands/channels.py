"""The merchant's account at a provider."""

from __future__ import annotations

from urllib.parse import urlsplit

from xinzu.back.payments.model import Provider
from xinzu.back.payments.store import mandates as store
from xinzu.kernel.errors import Invalid
from xinzu.platform.crypto.signing import KeyUnusable, rsa2_sign, rsa2_verify
from xinzu.platform.uow import UnitOfWork


async def configure_alipay(
    uow: UnitOfWork, *, app_id: str, gateway_url: str, seller_id: str, private_key_pem: str, alipay_public_key: str
) -> None:
    """Set or replace the tenant's Alipay account. The private key is sealed and never shown again.

    Raises Invalid when the address is no http(s) address or a key is not an RSA key.
    """
    if urlsplit(gateway_url).scheme not in ("http", "https") or not urlsplit(gateway_url).netloc:
        raise Invalid.field(
            "/gateway_url", "payments.bad_gateway_url", "网关地址须以 http(s):// 开头", "Give the gateway's http(s) address"
        )
    try:
        rsa2_verify(alipay_public_key, b"", rsa2_sign(private_key_pem, b""))
    except KeyUnusable:
        raise Invalid.field(
            "/private_key_pem",
            "payments.bad_key",
            "密钥无法使用：请填写应用私钥与支付宝公钥（PEM 或 Base64）",
            "A key cannot be used: give the application's private key and Alipay's public key (PEM or Base64)",
        ) from None
    account = store.ChannelAccount(app_id, gateway_url, seller_id, private_key_pem, alipay_public_key)
    await store.save_account(uow, Provider.ALIPAY, account)
