"""Opens the tenant's payment channel: its account, the way out, and the address the provider calls back."""

from __future__ import annotations

from xinzu.back.payments.errors import ChannelNotConfigured
from xinzu.back.payments.model import Provider
from xinzu.back.payments.providers.alipay import AlipayAccount, AlipayChannel
from xinzu.back.payments.store import mandates as store
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.ports import recorded
from xinzu.platform.settings import base_url
from xinzu.platform.uow import ReadSession

CALLBACK_PATH = "/v1/callbacks/alipay"


async def alipay_of(runtime: Runtime, read: ReadSession) -> AlipayChannel:
    """The tenant's Alipay channel, to be used once the transaction it was read in has ended. Raises ChannelNotConfigured."""
    found = await store.account_of(read, Provider.ALIPAY)
    if found is None:
        raise ChannelNotConfigured()
    slug, account = found
    callback_base = base_url(runtime.settings, recorded(runtime.settings.home, "api"))
    return AlipayChannel(
        AlipayAccount(
            app_id=account.app_id,
            gateway_url=account.gateway_url,
            private_key_pem=account.private_key_pem,
            alipay_public_key_pem=account.provider_public_key,
            notify_url=f"{callback_base}{CALLBACK_PATH}/{slug}",
            seller_id=account.seller_id,
        ),
        runtime.outbound,
        runtime.clock,
    )
