"""Opening accounts when agreements are signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from xinzu.back.billing.commands.booking import open_chart
from xinzu.back.billing.model import AccountState
from xinzu.back.billing.store import accounts
from xinzu.kernel.prime_rate import late_fee_ceiling_annual_pct
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class Opening:
    """An agreement that was signed, and its terms."""

    agreement_id: UUID
    party_id: UUID
    agreement_no: str
    terms: AgreementTerms
    signed_on: BusinessDate


async def open_books(uow: UnitOfWork) -> None:
    """Open the tenant's chart of accounts. Done with the first agreement; asking again is harmless."""
    await open_chart(uow)


async def open_accounts(uow: UnitOfWork, openings: Sequence[Opening]) -> None:
    """Open one account per agreement with its terms; an account that exists stays as it is. Nothing is owed yet: no entry.

    The ceiling of the late fee is fixed here, by the loan prime rate of the day of signing.
    """
    await open_books(uow)
    await accounts.insert_accounts(
        uow,
        [
            accounts.Account(
                agreement_id=opening.agreement_id,
                party_id=opening.party_id,
                agreement_no=opening.agreement_no,
                state=AccountState.OPEN,
                family=opening.terms.booked_as,
                financing=opening.terms.financing,
                version=1,
                rent_fen=opening.terms.rent_fen,
                period_months=opening.terms.period_months,
                period_count=opening.terms.period_count,
                early_return_fee_fen=opening.terms.early_return_fee_fen,
                grace_days=opening.terms.grace_days,
                late_fee_daily_rate=Decimal(opening.terms.late_fee_daily_rate),
                late_fee_ceiling_annual_pct=late_fee_ceiling_annual_pct(opening.signed_on),
                commencement_on=None,
                credit_balance_fen=0,
                overdue_fen=0,
                days_past_due=0,
                device_value_fen=opening.terms.device_value_fen,
                buyout_fen=opening.terms.buyout_fen,
                first_rents=opening.terms.first_rents,
                ends_in=opening.terms.ends_in,
                due_shift=opening.terms.due_shift,
                buyout_prices_fen=opening.terms.buyout_prices_fen,
                period_days=opening.terms.period_days,
                daily=opening.terms.daily,
            )
            for opening in openings
        ],
    )
