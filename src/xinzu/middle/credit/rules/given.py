"""What is known of an application without looking back: its terms, its hour, the person's record, the channel's word."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from xinzu.kernel.terms import AgreementTerms, EndsIn, Family
from xinzu.kernel.time import BusinessCalendar, Instant
from xinzu.middle.credit.model import Applicant, Definition, Given, Value
from xinzu.middle.credit.rules.values import RATIO_DIGITS

NIGHT_ENDS_HOUR = 5
# Whose word it is: a score of one channel is not a score of another.
ONLY_OF_CHANNEL: Mapping[str, str] = {"zhima_score": "alipay", "wx_payscore_admit": "wechat"}


def given_values(
    applicant: Applicant,
    definitions: Mapping[str, Definition],
    registered_at: Instant | None,
    at: Instant,
    calendar: BusinessCalendar,
) -> dict[str, Value]:
    """Every given indicator of an application by key; None where nothing is said, and what only a report says. Amounts in fen, hours and
    years in full."""
    found = _of_terms(applicant) | {
        "channel": applicant.channel,
        "night_apply": at.astimezone(calendar.zone).hour < NIGHT_ENDS_HOUR,
        "age_years": applicant.age_years,
        "reg_to_apply_hours": None if registered_at is None else round((at - registered_at).total_seconds() / 3600, 2),
    }
    for key, definition in definitions.items():
        if definition.given is Given.SIGNAL:
            said = ONLY_OF_CHANNEL.get(key, applicant.channel) == applicant.channel
            found[key] = applicant.signals.get(definition.signal or key) if said else None
    return {key: found.get(key) for key, definition in definitions.items() if definition.given is not None}


def value_fen(applicant: Applicant) -> int:
    """What is applied for, in fen: the thing's value, or the principal of a financing."""
    terms = applicant.terms
    return terms.device_value_fen if terms.financing is None else terms.financing.principal_fen


def first_number(terms: AgreementTerms) -> int:
    """Which instalment is the first to be collected after the start: a rental's first is paid before the handover."""
    return 2 if terms.family is Family.RENTAL else 1


def _of_terms(applicant: Applicant) -> dict[str, Value]:
    """Of a loan there is no thing: what is weighed against its value is not known."""
    terms = applicant.terms
    item_fen = None if terms.family is Family.LOAN else terms.device_value_fen
    total_fen = terms.rent_total_fen
    return {
        "item_value": item_fen,
        "deposit_free_amt": None if item_fen is None else max(item_fen - terms.deposit_fen, 0),
        "deposit_free_ratio": _ratio(max((item_fen or 0) - terms.deposit_fen, 0), item_fen),
        "rent_premium": _ratio(total_fen + (terms.buyout_fen or 0) - (item_fen or 0), item_fen),
        "order_irr": None if terms.annual_cost_pct is None else round(float(Decimal(terms.annual_cost_pct) / 100), RATIO_DIGITS),
        "term_months": terms.period_count,
        "first_pay_ratio": _ratio(terms.first_payment_fen, total_fen),
        "own_at_end": terms.ends_in is EndsIn.OWN and not terms.transfer_fen,
    }


def _ratio(part_fen: int, whole_fen: int | None) -> float | None:
    return round(part_fen / whole_fen, RATIO_DIGITS) if whole_fen else None
