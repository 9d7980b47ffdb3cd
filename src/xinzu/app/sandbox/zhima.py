"""Zhima at the gateway's twin: admittance by score, as ``zhima.credit.score.brief.get`` gives it. The score itself never leaves."""

from __future__ import annotations

import re
import sqlite3

from xinzu.app.sandbox.alipay_protocol import GatewayRequest, Refused
from xinzu.app.sandbox.scores import ScoresTwin
from xinzu.app.sandbox.signed import Unprocessable
from xinzu.app.sandbox.store import Store

PRODUCT_CODE = "w1010100000000002733"
CERT_TYPES = frozenset({"IDENTITY_CARD", "PASSPORT", "ALIPAY_USER_ID"})
_REQUIRED = ("transaction_id", "product_code", "cert_type", "admittance_score")
_TRANSACTION = re.compile(r"[0-9A-Za-z]{1,64}")


class ZhimaTwin:
    """Answers admittance questions; the same transaction again gets the same business number."""

    def __init__(self, store: Store, scores: ScoresTwin) -> None:
        self._store = store
        self._scores = scores

    def admittance(self, db: sqlite3.Connection, request: GatewayRequest) -> dict[str, object]:
        """Y or N by the score asked for, N/A for whom Zhima cannot judge. Raises Refused as the gateway does."""
        for name in _REQUIRED:
            if not request.text(name):
                raise Refused("40001", "isv.missing-parameter", f"缺少参数 {name}")
        if request.text("product_code") != PRODUCT_CODE:
            raise Refused("40006", "isv.insufficient-isv-permissions", "未签约该芝麻产品")
        asked = request.text("admittance_score")
        if not (asked.isascii() and asked.isdigit() and 350 <= int(asked) <= 950):
            raise Refused("40002", "isv.invalid-parameter", "admittance_score 应在 350 至 950 之间")
        if request.text("cert_type") not in CERT_TYPES or not _TRANSACTION.fullmatch(request.text("transaction_id")):
            raise Refused("40002", "isv.invalid-parameter", "cert_type 或 transaction_id 无效")
        if request.text("cert_type") != "IDENTITY_CARD":
            return {"biz_no": self._number(db, request, "N/A"), "is_admittance": "N/A"}
        if not request.text("cert_no") or not request.text("name"):
            raise Refused("40001", "isv.missing-parameter", "缺少参数 cert_no 或 name")
        try:
            score = self._scores.zhima_score(request.text("cert_no"))
        except Unprocessable:
            raise Refused("40004", "ZMCREDIT.CERT_NO_INVALID", "证件号码不合法") from None
        verdict = "N/A" if score is None else "Y" if score >= int(asked) else "N"
        return {"biz_no": self._number(db, request, verdict), "is_admittance": verdict}

    def _number(self, db: sqlite3.Connection, request: GatewayRequest, verdict: str) -> str:
        """The business number of a transaction; one that comes again with other content is refused."""
        said = ":".join((request.text("cert_no"), request.text("admittance_score")))
        blind = self._store.vault.blind("zhima.request", said).hex()
        key = f"zhima:{request.merchant.app_id}"
        row = db.execute(
            "SELECT * FROM score_answer WHERE key_id = ? AND reference = ?", (key, request.text("transaction_id"))
        ).fetchone()
        if row is not None:
            if row["request_sha256"] != blind:
                raise Refused("40004", "ZMCREDIT.TRANSACTION_ID_REPEATED", "transaction_id 重复且内容不同")
            return str(row["result_id"])
        number = f"ZM{request.at[:10].replace('-', '')}{self._store.next_number()}"
        db.execute(
            "INSERT INTO score_answer VALUES (?, ?, ?, ?, ?)",
            (number, key, request.text("transaction_id"), blind, f'"{verdict}"'),
        )
        return number
