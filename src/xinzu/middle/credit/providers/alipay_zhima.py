"""Zhima's admittance over Alipay's gateway: ``zhima.credit.score.brief.get`` (芝麻分普惠版).

Members from Alipay's published SDK: ``transaction_id, product_code, cert_type, cert_no, name, admittance_score`` in, ``biz_no`` and
``is_admittance`` out: Y, N, or N/A when Zhima cannot say. The product code is the one the SDK's examples give; a contract may name
another, which is an option of the source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from xinzu.kernel.time import Clock
from xinzu.middle.credit.providers.base import Question, Said
from xinzu.platform.alipay_gateway import GatewayApp, call_gateway, common_parameters
from xinzu.platform.alipay_wire import Answer
from xinzu.platform.outbound import Outbound
from xinzu.platform.providers import ProviderResult

METHOD = "zhima.credit.score.brief.get"
PRODUCT_CODE = "w1010100000000002733"
SHOWN_FIELDS = frozenset({"app_id", "method", "timestamp", "code", "msg", "sub_code", "sub_msg", "transaction_id", "biz_no"})
_ADMITTANCE: Mapping[str, bool | None] = {"Y": True, "N": False, "N/A": None}


@dataclass(frozen=True, slots=True)
class ZhimaSource:
    """Zhima under one app. ``admittance_score`` is the score from which a person is admitted, agreed with Zhima."""

    outbound: Outbound
    app: GatewayApp
    clock: Clock
    timeout_s: float
    admittance_score: int
    product_code: str = PRODUCT_CODE

    async def ask(self, question: Question) -> ProviderResult[Said]:
        """Ask once. The same reference is the same transaction number, so asking again is no second inquiry."""
        content = {
            "transaction_id": transaction_id(question.reference),
            "product_code": self.product_code,
            "cert_type": "IDENTITY_CARD",
            "cert_no": question.person["identity_no"],
            "name": question.person["name"],
            "admittance_score": self.admittance_score,
        }
        return await call_gateway(
            self.outbound,
            self.app,
            common_parameters(self.app.app_id, METHOD, self.clock.now()),
            content,
            self._said,
            shown_fields=SHOWN_FIELDS,
            timeout_s=self.timeout_s,
        )

    def _said(self, answer: Answer) -> Said:
        admitted = _ADMITTANCE[answer.text("is_admittance")]
        return Said(
            {"is_admittance": admitted, "admittance_score": self.admittance_score},
            answer.text("biz_no") or None,
            observed_at=None,
        )


def transaction_id(reference: str) -> str:
    """The reference as Zhima takes it: at most 64 letters and digits."""
    return hashlib.sha256(reference.encode()).hexdigest()[:32]
