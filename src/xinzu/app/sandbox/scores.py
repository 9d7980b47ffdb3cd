"""The score twins: what multi-lending bureaux, court lists, carriers, banks and the scores of wallets say about people who do not exist.

Everybody has a profile, drawn from the identity number or set through the control door, and every answer follows from it, so that all
sources agree about a person. The same profiles make the synthetic reports of ``POST /scores/v1/reports``: a connected institution's
answer, marked synthetic. Refused as a source refuses: an identity number that is none, a member that is missing, a capability that was
not bought, a person nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from xinzu.app.sandbox.signed import Content, Unprocessable, conflict, decoded, digest
from xinzu.app.sandbox.store import Store
from xinzu.kernel.errors import Invalid
from xinzu.kernel.time import as_utc
from xinzu.middle.credit.model import Capability
from xinzu.middle.credit.providers.base import NEEDED
from xinzu.middle.credit.rules.pboc.reports import local_time, to_json
from xinzu.middle.credit.rules.pboc.synthetic import Profile, Subject, synthetic_report
from xinzu.platform.crypto.identifiers import normalize_identity_no

ADMITTANCE_SCORE = 600
_SHARES = ((60, "prime"), (80, "thin"), (95, "overdue"), (100, "special_bad"))


class PersonProfile(StrEnum):
    """Whose answers a person gets; ``no_record``: nobody has heard of them."""

    PRIME = "prime"
    THIN = "thin"
    OVERDUE = "overdue"
    SPECIAL_BAD = "special_bad"
    NO_RECORD = "no_record"


class ScoreRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question under the signed contract."""

    reference: str
    asked_at: str
    person: dict[str, str]


class ReportRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A connected institution's inquiry of the bureau, under a consent and for a purpose."""

    reference: str
    asked_at: str
    name: str
    identity_no: str
    purpose: str
    institution_code: str
    consent_version: str


_ZHIMA = {"prime": 742, "thin": 618, "overdue": 566, "special_bad": 431}
_MULTI = {
    "prime": (0, 1, 2, 2, 0, 0),
    "thin": (1, 1, 2, 3, 1, 0),
    "overdue": (4, 9, 17, 26, 5, 3),
    "special_bad": (2, 6, 11, 20, 2, 6),
}
_COURT = {
    "prime": (0, 0, 0, 0, 0),
    "thin": (0, 0, 0, 0, 0),
    "overdue": (0, 1, 1_860_000, 0, 0),
    "special_bad": (1, 2, 4_200_000, 1, 1),
}
_TENURE_MONTHS = {"prime": 96, "thin": 14, "overdue": 20, "special_bad": 3}


class ScoresTwin:
    """Answers questions and remembers the answers by reference."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(self, key_id: str, capability: str, body: bytes) -> Content:
        """One capability's answer about a person."""
        if capability not in set(Capability):
            raise Unprocessable(404, "capability_not_bought", "this capability is not part of the contract")
        request = decoded(body, ScoreRequest)
        missing = [name for name in NEEDED[Capability(capability)] if not request.person.get(name)]
        if missing:
            raise Unprocessable(422, "member_missing", f"missing: {', '.join(missing)}")
        return self._once(
            key_id,
            request.reference,
            f"{capability}:{digest(request)}",
            lambda: {
                "observed_at": self._at(request.asked_at).isoformat(),
                "values": self._values(Capability(capability), request.person["identity_no"]),
            },
        )

    def report(self, key_id: str, body: bytes) -> Content:
        """A synthetic report about a person: the document as JSON."""
        request = decoded(body, ReportRequest)
        at = self._at(request.asked_at)
        if not request.consent_version:
            raise Unprocessable(403, "consent_missing", "an inquiry needs the person's written consent")

        def document() -> Content:
            profile = self._profile(request.identity_no)
            number = normalize_identity_no(request.identity_no)
            subject = Subject(
                name=request.name,
                id_no=number,
                reported_at=local_time(at),
                reason=request.purpose,
                institution_code=request.institution_code,
            )
            made = synthetic_report(Profile(profile), subject, int.from_bytes(self._blind(number)[:4], "big"))
            return {"document": json.loads(to_json(made))}

        return self._once(key_id, request.reference, f"report:{digest(request)}", document)

    def set_profile(self, identity_no: str, profile: PersonProfile) -> None:
        """Give a person a profile of the test's choice."""
        with self._store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO score_person VALUES (?, ?)", (self._blind(identity_no), str(profile)))

    def zhima_score(self, identity_no: str) -> int | None:
        """The person's Zhima score, for the gateway's twin; None when Zhima cannot say. Raises Unprocessable for no number."""
        profile = self._known_profile(identity_no)
        return None if profile == PersonProfile.NO_RECORD else _ZHIMA[profile]

    def _once(self, key_id: str, reference: str, said: str, answer: Callable[[], Content]) -> Content:
        row = self._store.one("SELECT * FROM score_answer WHERE key_id = ? AND reference = ?", key_id, reference)
        blind = self._store.vault.blind("score.request", said).hex()
        if row is not None:
            if row["request_sha256"] != blind:
                raise conflict()
            return {"reference": reference, "result_id": row["result_id"], **json.loads(row["answer"])}
        content = answer()
        result_id = f"sco{self._store.next_number()}"
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO score_answer VALUES (?, ?, ?, ?, ?)",
                (result_id, key_id, reference, blind, json.dumps(content, ensure_ascii=False)),
            )
        return {"reference": reference, "result_id": result_id, **content}

    def _values(self, capability: Capability, identity_no: str) -> Content:
        profile = self._profile(identity_no)
        match capability:
            case Capability.ZHIMA_ADMITTANCE:
                return {"is_admittance": _ZHIMA[profile] >= ADMITTANCE_SCORE, "admittance_score": ADMITTANCE_SCORE}
            case Capability.PAYSCORE_ADMITTANCE:
                return {"wx_payscore_admit": profile in ("prime", "thin")}
            case Capability.MULTI_LENDING:
                week, month, quarter, half, lent, late = _MULTI[profile]
                return {
                    "ml_apply_org_7d": week,
                    "ml_apply_org_30d": month,
                    "ml_apply_org_90d": quarter,
                    "ml_apply_org_180d": half,
                    "ml_apply_cnt_7d": week,
                    "ml_apply_cnt_30d": month + week,
                    "ml_apply_cnt_90d": quarter + month,
                    "ml_nonbank_ratio_30d": 0.75 if late else 0.0 if month else None,
                    "ml_loan_org_90d": lent,
                    "ml_overdue_org_180d": late,
                }
            case Capability.COURT_LISTS:
                dishonest, enforced, enforced_fen, restricted, terminated = _COURT[profile]
                return {
                    "court_dishonest_cnt": dishonest,
                    "court_enforced_cnt": enforced,
                    "court_enforced_fen": enforced_fen,
                    "court_restricted_cnt": restricted,
                    "court_terminated_cnt": terminated,
                }
            case Capability.CARRIER_FACTORS:
                return {
                    "carrier_three_factor_match": "mismatch" if profile == "special_bad" else "match",
                    "phone_tenure_months": _TENURE_MONTHS[profile],
                    "phone_status": "in_use",
                }
            case Capability.BANK_FACTORS:
                return {"bankcard_four_factor_match": "match"}

    def _profile(self, identity_no: str) -> str:
        """The person's profile; raises Unprocessable for a person nobody knows."""
        profile = self._known_profile(identity_no)
        if profile == PersonProfile.NO_RECORD:
            raise Unprocessable(404, "no_record", "nothing is known of this person")
        return profile

    def _known_profile(self, identity_no: str) -> str:
        try:
            number = normalize_identity_no(identity_no)
        except Invalid:
            raise Unprocessable(422, "invalid_identity", "the identity number is not well made") from None
        row = self._store.one("SELECT profile FROM score_person WHERE person_blind = ?", self._blind(number))
        if row is not None:
            return str(row["profile"])
        drawn = int(number[6:17]) * 37 % 100  # from the number alone: the same person for every sandbox
        return next(profile for limit, profile in _SHARES if drawn < limit)

    def _blind(self, identity_no: str) -> bytes:
        return self._store.vault.blind("score.identity_no", identity_no)

    @staticmethod
    def _at(text: str) -> datetime:
        try:
            return as_utc(datetime.fromisoformat(text))
        except ValueError:
            raise Unprocessable(422, "request_invalid", "asked_at is an instant with an offset") from None
