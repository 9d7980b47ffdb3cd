"""People of the stories: registered through the front door of parties, with the consents an application asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import count
from uuid import UUID

from xinzu.kernel.ids import new_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.terms import AgreementTerms
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.identifiers import identity_no_check
from xinzu.platform.runtime import Runtime
from xinzu.records.parties import api as parties

_numbers = count(1)
FAMILY = "赵钱孙李周吴郑王"
ALL_CONSENTS = tuple(parties.ConsentPurpose)


def identity_no(born: date) -> str:
    """A well-made identity number nobody else in the test has."""
    serial = next(_numbers)
    first_17 = f"{330102 + serial // 999 % 5}{born:%Y%m%d}{serial % 999 + 1:03d}"
    return first_17 + identity_no_check(first_17)


async def register(
    runtime: Runtime,
    tenant_id: int,
    actor: Actor,
    *,
    count: int = 1,
    born: date = date(1996, 5, 4),
    name: str | None = None,
    number: str | None = None,
    consents: Sequence[parties.ConsentPurpose] = ALL_CONSENTS,
) -> list[UUID]:
    """People with their consents, in order."""
    drafts = []
    for each in range(count):
        serial = next(_numbers)
        drafts.append(
            parties.PersonDraft(
                name=name or f"{FAMILY[each % 8]}晓{FAMILY[each // 8 % 8]}",
                identity_no=number or identity_no(born),
                phone=f"139{serial % 100_000_000:08d}",
                address="浙江省杭州市西湖区文三路 90 号 3 单元 501",
            )
        )
    async with runtime.unit(tenant_id, actor) as uow:
        people = [accepted(outcome).id for outcome in await parties.register_people(uow, drafts)]
        await parties.record_consents(
            uow,
            [
                parties.ConsentDraft(party_id=party_id, purpose=purpose, text_version="2026-01", channel="alipay")
                for party_id in people
                for purpose in consents
            ],
        )
    return people


def terms(device_value_fen: int = 599_900, period_count: int = 12) -> AgreementTerms:
    """A phone for a year."""
    return AgreementTerms(
        product_id=new_id(),
        plan_id=new_id(),
        product_name="示例手机 15 Pro 256GB",
        period_months=1,
        period_count=period_count,
        rent_fen=39_900,
        deposit_fen=device_value_fen,
        device_value_fen=device_value_fen,
        buyout_fen=180_000,
        early_return_fee_fen=39_900,
        late_fee_daily_rate="0.0003",
        grace_days=1,
        restriction_clause_version="2026-01",
        annual_cost_pct="15.86",
    )
