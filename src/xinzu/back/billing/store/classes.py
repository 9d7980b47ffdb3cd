"""SQL of risk classes and of the allowance they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.rules.asset_class import CURE_MONTHS, MEASURES_2023, NON_PERFORMING, SEVERITY, ClassMatrix
from xinzu.back.billing.rules.effective_interest import EARNED_FEN_SQL
from xinzu.back.billing.rules.provision import GUIDELINES_2002, REQUIRED_FEN_SQL, ProvisionMatrix
from xinzu.back.billing.rules.vat import RATE_PCT, VAT_FEN_SQL, Supply
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import UnitOfWork


def _case(of: str, values: Mapping[str, object]) -> str:
    whens = " ".join(f"WHEN '{key}' THEN {value}" for key, value in values.items())
    return f"CASE {of} {whens} END"


_SEVERITY = {each.value: severity for each, severity in SEVERITY.items()}
_RANKED = _case("a.asset_class", _SEVERITY)
_LINES = ("attention", "substandard", "doubtful", "loss")
_BY_DAYS = "0" + "".join(f" + (a.days_past_due > cast(:{line} AS integer))::integer" for line in _LINES)
_WORST_CURABLE = SEVERITY[AssetClass.SUBSTANDARD]
_NAMES = ", ".join(f"'{each.value}'" for each in AssetClass)
_UNPERFORMING = ", ".join(f"'{each.value}'" for each in NON_PERFORMING)

# The rule is rules.asset_class.classify_asset for days past due and cure (a test holds the two together). Only what is late, was late or
# is provided for is read.
_RECLASSIFY = f"""
WITH watched AS (
    SELECT a.agreement_id, CASE
            WHEN a.written_off_on IS NOT NULL THEN {SEVERITY[AssetClass.LOSS]}
            WHEN a.asset_class IN ({_UNPERFORMING}) AND NOT (a.overdue_fen = 0 AND a.cleared_on IS NOT NULL
                 AND a.cleared_on <= cast(:on AS date) - interval '{CURE_MONTHS} months')
            THEN greatest({_BY_DAYS}, {_WORST_CURABLE})
            ELSE {_BY_DAYS} END AS severity,
        CASE WHEN a.overdue_fen > 0 THEN NULL ELSE coalesce(a.cleared_on, cast(:on AS date)) END AS cleared_on
    FROM billing_account a
    WHERE a.tenant_id = :tenant AND (a.overdue_fen > 0 OR a.asset_class <> 'normal' OR a.provision_fen > 0)
), moved AS (
    UPDATE billing_account a SET asset_class = (ARRAY[{_NAMES}])[w.severity + 1], cleared_on = w.cleared_on
    FROM watched w
    WHERE a.tenant_id = :tenant AND a.agreement_id = w.agreement_id
      AND (w.severity <> {_RANKED} OR a.cleared_on IS DISTINCT FROM w.cleared_on)
    RETURNING a.agreement_id, a.party_id, a.days_past_due, old.asset_class AS class_before, new.asset_class
)
SELECT * FROM moved WHERE class_before <> asset_class ORDER BY agreement_id
"""  # noqa: S608 (constants only)


def _net(fen: str, supply: Supply = Supply.MOVABLE_LEASING) -> str:
    return f"({fen} - {VAT_FEN_SQL.format(gross_fen=fen, rate_pct=RATE_PCT[supply])})"


_SUSPENDED = (
    f"(CASE WHEN i.suspended_fen = 0 THEN 0 WHEN a.family = 'loan' THEN {_net('i.suspended_fen', Supply.LENDING)}"
    f" ELSE {_net('i.suspended_fen')} END + i.suspended_vat_fen)"
)


# The rule is rules.provision.provisions_of. What customers owe at the close of ``:on``: everything that is due and open, without what of it
# is not income; of a loan also the principal to come and the interest accrued by its days, of a finance lease the net investment.
_INTEREST_EARNED = (
    "(CASE WHEN a.non_accrual_since IS NULL THEN greatest(i.earned_fen, "
    + EARNED_FEN_SQL.format(leg_fen="i.amount_fen", from_on="i.from_on", to_on="i.to_on", on="cast(:on AS date)")
    + ") ELSE i.earned_fen END)"
)
EXPOSED = f"""owed AS (
    SELECT i.agreement_id, i.amount_fen - i.paid_fen - i.cancelled_fen - {_SUSPENDED} AS fen
    FROM billing_instalment i JOIN billing_account a ON a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id
    WHERE i.tenant_id = :tenant AND i.state IN ('due', 'overdue')
    UNION ALL
    SELECT c.agreement_id, c.amount_fen - c.paid_fen - c.cancelled_fen
    FROM billing_charge c WHERE c.tenant_id = :tenant AND c.amount_fen > c.paid_fen + c.cancelled_fen
    UNION ALL
    SELECT i.agreement_id, CASE
        WHEN a.family = 'loan' THEN CASE i.role WHEN 'principal' THEN i.amount_fen WHEN 'interest' THEN {_INTEREST_EARNED} ELSE 0 END
        WHEN i.role = 'principal' THEN {_net("i.amount_fen")}
        WHEN i.role = 'interest' THEN {_net(_INTEREST_EARNED)}
        ELSE 0 END
    FROM billing_account a JOIN billing_instalment i ON i.tenant_id = a.tenant_id AND i.agreement_id = a.agreement_id
    WHERE a.tenant_id = :tenant AND a.family <> 'rental' AND i.state = 'scheduled'
), exposed AS (
    SELECT agreement_id, cast(sum(fen) AS bigint) AS exposure_fen FROM owed GROUP BY agreement_id
)"""  # noqa: S608 (constants only)

_PROVIDE = f"""
WITH {EXPOSED}, wanted AS (
    SELECT a.agreement_id, {
    REQUIRED_FEN_SQL.format(
        exposure_fen="coalesce(e.exposure_fen, 0)",
        rate_bp=_case("a.asset_class", {each.value: f"cast(:{each.value} AS bigint)" for each in AssetClass}),
    )
} AS required_fen
    FROM billing_account a LEFT JOIN exposed e ON e.agreement_id = a.agreement_id
    WHERE a.tenant_id = :tenant AND (e.agreement_id IS NOT NULL OR a.provision_fen > 0)
)
UPDATE billing_account a SET provision_fen = w.required_fen
FROM wanted w
WHERE a.tenant_id = :tenant AND a.agreement_id = w.agreement_id AND a.provision_fen <> w.required_fen
RETURNING a.agreement_id, a.family, old.provision_fen AS before_fen, new.provision_fen AS after_fen
"""  # noqa: S608 (constants only)


async def reclassify(uow: UnitOfWork, on: BusinessDate, lines: ClassMatrix = MEASURES_2023) -> Sequence[Row]:
    """Bring risk classes in line with days past due at the close of a date; returns those that changed, with the class before."""
    return await uow.rows(_RECLASSIFY, on=on, **dict(zip(_LINES, lines.lines, strict=True)))


async def provide(uow: UnitOfWork, on: BusinessDate, rates: ProvisionMatrix = GUIDELINES_2002) -> Sequence[Row]:
    """Bring every allowance to what its class asks for at the close of a date; returns those that changed, with what stood before and
    stands now."""
    return await uow.rows(_PROVIDE, on=on, **{each.value: rate_bp for each, rate_bp in rates.by_class.items()})
