"""From a tenant's line to the source it stands for. Only addresses and keys differ between a twin and the true source."""

from __future__ import annotations

from xinzu.kernel.time import Clock, SystemClock
from xinzu.middle.credit.model import Source, SourceStyle
from xinzu.middle.credit.providers.alipay_zhima import PRODUCT_CODE, ZhimaSource
from xinzu.middle.credit.providers.base import ScoreSource
from xinzu.middle.credit.providers.signed_scores import SignedScoreSource
from xinzu.platform.alipay_gateway import GatewayApp
from xinzu.platform.outbound import Outbound
from xinzu.platform.signed_http import SignedPeer

ADMITTANCE_SCORE_DEFAULT = 600


def chosen(source: Source, outbound: Outbound, clock: Clock) -> ScoreSource:
    """The way out to a source, to be used once the transaction it was read in has ended."""
    timeout_s = source.timeout_ms / 1000
    if source.style is SourceStyle.ALIPAY_GATEWAY:
        return ZhimaSource(
            outbound,
            GatewayApp(source.account_id, source.base_url, source.secret, source.peer_key or ""),
            clock,
            timeout_s,
            int(source.options.get("admittance_score", ADMITTANCE_SCORE_DEFAULT)),
            str(source.options.get("product_code", PRODUCT_CODE)),
        )
    return SignedScoreSource(
        outbound, SignedPeer(source.provider, source.base_url, source.account_id, source.secret), SystemClock(), timeout_s
    )
