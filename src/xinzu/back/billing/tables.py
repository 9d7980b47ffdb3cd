"""Tables of billing. Allocations, receipts and refunds are only ever added; amounts on items and accounts follow from them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, Index, Integer, Numeric, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from xinzu.back.billing.model import AccountState, AdjustmentKind, AssetClass, ChargeKind, InstalmentState, Role, ShareBasis
from xinzu.kernel.terms import Family
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

# Terms are those signed; ``version`` is that of the schedule in force, which amendments raise. ``overdue_fen`` and ``days_past_due`` are
# as of the last closed business date, less what was paid since. ``cleared_on`` is since when nothing of a non-performing one is overdue,
# ``non_accrual_since`` the close since which interest is income only when paid. Since ``kept_on``, the day after its term, the thing
# of a rental that ends in ownership stays with the lessee, whose it is once everything is paid.
# After a re-ageing, what falls due up to ``ageing_until`` and is overdue again counts its days from ``ageing_since``. No late fee accrues
# up to ``no_late_fee_to``.
account = tenant_table(
    "billing_account",
    Column("agreement_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("agreement_no", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("financing", JSONB, nullable=True),
    Column("version", SmallInteger, nullable=False),
    fen("rent_fen", minimum=1),
    Column("period_months", SmallInteger, nullable=False),
    Column("period_count", SmallInteger, nullable=False),
    fen("early_return_fee_fen"),
    fen("device_value_fen"),
    Column("buyout_fen", BigInteger, nullable=True),
    Column("first_rents", SmallInteger, nullable=False),
    Column("ends_in", Text, nullable=False),
    Column("due_shift", Text, nullable=False),
    Column("buyout_prices_fen", JSONB, nullable=True),
    Column("grace_days", SmallInteger, nullable=False),
    Column("late_fee_daily_rate", Numeric, nullable=False),
    Column("late_fee_ceiling_annual_pct", Numeric, nullable=False),
    Column("commencement_on", Date, nullable=True),
    fen("credit_balance_fen"),
    fen("overdue_fen"),
    Column("days_past_due", Integer, nullable=False),
    Column("asset_class", Text, nullable=False),
    fen("provision_fen"),
    Column("cleared_on", Date, nullable=True),
    Column("ageing_since", Date, nullable=True),
    Column("ageing_until", Date, nullable=True),
    Column("no_late_fee_to", Date, nullable=True),
    Column("written_off_on", Date, nullable=True),
    Column("non_accrual_since", Date, nullable=True),
    Column("kept_on", Date, nullable=True),
    Column("period_days", SmallInteger, nullable=False),
    Column("daily", JSONB, nullable=True),
    # Whether partners have a share in what comes in: without one, money that comes in asks no further.
    Column("has_shares", Boolean, nullable=False, server_default=text("false")),
    instant("opened_at"),
    Column("settled_on", Date, nullable=True),
    one_of("state", AccountState),
    one_of("family", Family),
    one_of("asset_class", AssetClass),
    CheckConstraint("(family = 'rental') = (financing IS NULL)", name="financing_of_family"),
    CheckConstraint(
        "(period_months > 0) <> (period_days > 0) AND least(period_months, period_days, grace_days) >= 0 AND period_count > 0",
        name="terms_positive",
    ),
    CheckConstraint("first_rents BETWEEN 1 AND period_count AND ends_in IN ('return', 'own')", name="ways"),
    CheckConstraint("due_shift IN ('none', 'following', 'preceding', 'modified_following')", name="due_shift_known"),
    CheckConstraint(
        "financing IS NULL OR (first_rents = 1 AND ends_in = 'return' AND buyout_prices_fen IS NULL)", name="ways_of_rentals"
    ),
    CheckConstraint(
        "daily IS NULL OR (financing IS NULL AND period_days = 1 AND first_rents = 1 AND ends_in = 'return' AND buyout_fen IS NULL)",
        name="by_the_day",
    ),
    CheckConstraint("ends_in = 'return' OR buyout_fen IS NOT NULL", name="transfer_priced"),
    CheckConstraint("late_fee_daily_rate >= 0 AND late_fee_ceiling_annual_pct >= 0", name="rates_positive"),
    CheckConstraint("(overdue_fen = 0) = (days_past_due = 0)", name="overdue_has_days"),
    CheckConstraint("(state = 'settled') = (settled_on IS NOT NULL)", name="settled_has_date"),
    Index("ix_billing_account_overdue", "tenant_id", "agreement_id", postgresql_where=text("overdue_fen > 0")),
    Index(
        "ix_billing_account_watched",
        "tenant_id",
        "agreement_id",
        postgresql_where=text("overdue_fen > 0 OR asset_class <> 'normal' OR provision_fen > 0"),
    ),
    Index("ix_billing_account_to_pass", "tenant_id", "agreement_id", postgresql_where=text("ends_in = 'own' AND state = 'open'")),
    Index("ix_billing_account_non_accrual", "tenant_id", "agreement_id", postgresql_where=text("non_accrual_since IS NOT NULL")),
    key=("agreement_id",),
)

# How a lease was classified at its inception, with every test. Apart from the accounts, which every close and every receipt rewrites: it is
# longer than all the rest of a row and seldom read.
lease_class = tenant_table(
    "billing_lease_class",
    Column("agreement_id", Uuid, nullable=False),
    Column("classification", JSONB, nullable=False),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    key=("agreement_id",),
)

# A row is one leg of an instalment: a rent, or the principal, the interest and the fee that fall due together. An amendment cancels the
# legs to come and writes those of the next version. ``earned_fen`` is how much of a rent or of interest is income by now, ``suspended_fen``
# how much of what is open is claimed and not income, ``suspended_vat_fen`` the VAT in it that is not payable yet.
instalment = tenant_table(
    "billing_instalment",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    fen("amount_fen", minimum=1),
    fen("paid_fen"),
    fen("cancelled_fen"),
    fen("earned_fen", minimum=None),
    Column("state", Text, nullable=False),
    fen("suspended_fen"),
    fen("suspended_vat_fen"),
    one_of("state", InstalmentState),
    one_of("role", Role),
    CheckConstraint("earned_fen BETWEEN 0 AND amount_fen", name="earned_within"),
    CheckConstraint(
        "suspended_fen <= amount_fen - paid_fen - cancelled_fen AND suspended_vat_fen <= suspended_fen", name="suspended_is_open"
    ),
    CheckConstraint("paid_fen + cancelled_fen <= amount_fen", name="not_overpaid"),
    CheckConstraint(
        "(paid_fen + cancelled_fen = amount_fen) = (state IN ('paid', 'cancelled'))", name="closed_when_nothing_open"
    ),
    CheckConstraint("number > 0 AND from_on <= to_on", name="period_form"),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    tenant_unique("agreement_id", "version", "number", "role"),
    # The close reads only these two: what is about to fall due, and what is due and open. Paid periods are in neither. Money that comes in
    # finds what its agreement owes without reading the periods that are paid or to come.
    Index("ix_billing_instalment_scheduled", "tenant_id", "due_on", postgresql_where=text("state = 'scheduled'")),
    Index(
        "ix_billing_instalment_open", "tenant_id", "state", "agreement_id", postgresql_where=text("state IN ('due', 'overdue')")
    ),
    # What ends on a day is earned by its close; what has begun and not ended is accrued at the end of a month. Neither what is earned nor
    # what is open stands in an index, so that earning a leg leaves all of them alone.
    Index(
        "ix_billing_instalment_ending",
        "tenant_id",
        "state",
        "to_on",
        "from_on",
        postgresql_where=text("role IN ('rent', 'interest') AND state <> 'cancelled'"),
    ),
    # What a financing has yet to ask for stands in the books already, and is compared with them at every close.
    Index(
        "ix_billing_instalment_financed",
        "tenant_id",
        "agreement_id",
        postgresql_where=text("state = 'scheduled' AND role <> 'rent'"),
    ),
)

charge = tenant_table(
    "billing_charge",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("instalment_id", Uuid, nullable=True),
    Column("due_on", Date, nullable=False),
    fen("amount_fen"),
    fen("paid_fen"),
    fen("cancelled_fen"),
    Column("fen_days", BigInteger, nullable=False),
    Column("raised_on", Date, nullable=False),
    Column("why", JSONB, nullable=False),
    one_of("kind", ChargeKind),
    CheckConstraint("paid_fen + cancelled_fen <= amount_fen", name="not_overpaid"),
    CheckConstraint("(kind = 'late_fee') = (instalment_id IS NOT NULL)", name="late_fee_of_instalment"),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    tenant_reference("instalment_id", "billing_instalment"),
    Index("uq_billing_charge_late_fee", "tenant_id", "instalment_id", unique=True, postgresql_where=text("kind = 'late_fee'")),
    Index(
        "ix_billing_charge_open",
        "tenant_id",
        "agreement_id",
        postgresql_where=text("amount_fen > paid_fen + cancelled_fen"),
    ),
)

# What is neither allocated nor refunded is the lessee's credit balance.
receipt = tenant_table(
    "billing_receipt",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_ref", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("provider_trade_no", Text, nullable=False),
    fen("amount_fen", minimum=1),
    fen("allocated_fen"),
    fen("refunded_fen"),
    Column("received_on", Date, nullable=False),
    Column("reversed_on", Date, nullable=True),
    instant("recorded_at"),
    CheckConstraint("reversed_on IS NULL OR allocated_fen + refunded_fen = 0", name="reversed_empty"),
    CheckConstraint("allocated_fen + refunded_fen <= amount_fen", name="not_overspent"),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    tenant_unique("source", "source_ref"),
    Index("ix_billing_receipt_agreement", "tenant_id", "agreement_id", "id"),
    Index(
        "ix_billing_receipt_available",
        "tenant_id",
        "agreement_id",
        postgresql_where=text("amount_fen > allocated_fen + refunded_fen AND reversed_on IS NULL"),
    ),
)

# A negative amount takes an allocation back (a period that had not begun at the return): nothing is rewritten.
allocation = tenant_table(
    "billing_allocation",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("receipt_id", Uuid, nullable=False),
    Column("instalment_id", Uuid, nullable=True),
    Column("charge_id", Uuid, nullable=True),
    fen("amount_fen", minimum=None),
    Column("allocated_on", Date, nullable=False),
    instant("recorded_at"),
    CheckConstraint("amount_fen <> 0", name="amount_moves"),
    CheckConstraint("num_nonnulls(instalment_id, charge_id) = 1", name="one_item"),
    tenant_reference("receipt_id", "billing_receipt"),
    tenant_reference("instalment_id", "billing_instalment"),
    tenant_reference("charge_id", "billing_charge"),
    Index("ix_billing_allocation_instalment", "tenant_id", "instalment_id", postgresql_where=text("instalment_id IS NOT NULL")),
    Index("ix_billing_allocation_charge", "tenant_id", "charge_id", postgresql_where=text("charge_id IS NOT NULL")),
    key=("receipt_id", "id"),
)

refund = tenant_table(
    "billing_refund",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    fen("amount_fen", minimum=1),
    Column("refunded_on", Date, nullable=False),
    instant("recorded_at"),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    Index("ix_billing_refund_agreement", "tenant_id", "agreement_id"),
)

# One row per closed business date: the fence of the close. ``accrued_fen`` is what unfinished periods had earned at the end of a month: booked
# on this date and taken back on the next. ``compared_fen`` is how the accounts that billing keeps stood in the ledger after its entry
# ``compared_entry_no``: from there the next close counts on.
day = tenant_table(
    "billing_day",
    Column("business_date", Date, nullable=False),
    Column("fell_due_count", Integer, nullable=False),
    Column("became_overdue_count", Integer, nullable=False),
    Column("delinquent_count", Integer, nullable=False),
    fen("late_fee_fen"),
    fen("income_fen", minimum=None),
    fen("accrued_fen"),
    Column("reclassified_count", Integer, nullable=False),
    fen("provision_fen", minimum=None),
    Column("differing_count", Integer, nullable=False),
    Column("compared_entry_no", BigInteger, nullable=True),
    Column("compared_fen", JSONB, nullable=True),
    instant("closed_at"),
    CheckConstraint("(compared_entry_no IS NULL) = (compared_fen IS NULL)", name="compared_whole"),
    key=("business_date",),
)

# The tenant's own lines and rates, stricter than the guard. Without a row the guard holds.
risk_policy = tenant_table(
    "billing_risk_policy",
    Column("attention_days", SmallInteger, nullable=False),
    Column("substandard_days", SmallInteger, nullable=False),
    Column("doubtful_days", SmallInteger, nullable=False),
    Column("loss_days", SmallInteger, nullable=False),
    Column("non_accrual_days", SmallInteger, nullable=False),
    *(Column(f"{each.value}_bp", SmallInteger, nullable=False) for each in AssetClass),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    key=(),
)

# Tranches of loans paid out after the commencement, by their number in the terms.
disbursement = tenant_table(
    "billing_disbursement",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("disbursed_on", Date, nullable=False),
    Column("made_by", Text, nullable=False),
    instant("recorded_at"),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    tenant_unique("agreement_id", "number"),
    tenant_unique("agreement_id", "reference"),
)

# What was done to items or receipts by hand, with the reason: waived, written off, recovered, reversed.
adjustment = tenant_table(
    "billing_adjustment",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("item_id", Uuid, nullable=True),
    fen("amount_fen", minimum=1),
    Column("reason", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_on", Date, nullable=False),
    instant("recorded_at"),
    one_of("kind", AdjustmentKind),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    Index("ix_billing_adjustment_agreement", "tenant_id", "agreement_id", "id"),
)

# Changes of the schedule after commencement: what was asked, the schedule in force from then on (null when its terms stay), and why.
amendment = tenant_table(
    "billing_amendment",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("terms", JSONB, nullable=True),
    Column("why", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    instant("recorded_at"),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    Index("ix_billing_amendment_agreement", "tenant_id", "agreement_id", "version"),
)

# Who has a share in what agreements bring: a dealer, a funder, a channel. A merchant's name, no person's.
partner = tenant_table(
    "billing_partner",
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    instant("recorded_at"),
    tenant_unique("name"),
)

# A partner's share of what is received of items that fall due from ``from_on`` and before ``to_on``: basis points, or a fixed amount of each
# item that is paid in full.
share = tenant_table(
    "billing_share",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("partner_id", Uuid, nullable=False),
    Column("basis", Text, nullable=False),
    Column("share_bp", SmallInteger, nullable=False),
    fen("fixed_fen"),
    fen("floor_fen"),
    Column("cap_fen", BigInteger, nullable=True),
    Column("from_on", Date, nullable=False),
    Column("to_on", Date, nullable=True),
    Column("agreed_ref", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    instant("recorded_at"),
    one_of("basis", ShareBasis),
    CheckConstraint("(share_bp = 0) <> (fixed_fen = 0) AND share_bp BETWEEN 0 AND 10000", name="percent_or_fixed"),
    CheckConstraint("cap_fen IS NULL OR cap_fen >= floor_fen", name="cap_above_floor"),
    tenant_reference("agreement_id", "billing_account", "agreement_id"),
    tenant_reference("partner_id", "billing_partner"),
    Index("ix_billing_share_agreement", "tenant_id", "agreement_id"),
)

# What is owed to partners came of these: a share in what was received of an item by then; negative when it was received no more.
share_due = tenant_table(
    "billing_share_due",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("partner_id", Uuid, nullable=False),
    Column("share_id", Uuid, nullable=False),
    Column("item_id", Uuid, nullable=False),
    fen("received_fen"),
    fen("amount_fen", minimum=None),
    Column("due_on", Date, nullable=False),
    instant("recorded_at"),
    CheckConstraint("amount_fen <> 0", name="amount_moves"),
    tenant_reference("share_id", "billing_share"),
    tenant_reference("partner_id", "billing_partner"),
    Index("ix_billing_share_due_agreement", "tenant_id", "agreement_id", "id"),
    Index("ix_billing_share_due_partner", "tenant_id", "partner_id", "id"),
)

# What was paid to partners, named by the bank's reference.
payout = tenant_table(
    "billing_payout",
    Column("id", Uuid, nullable=False),
    Column("partner_id", Uuid, nullable=False),
    Column("reference", Text, nullable=False),
    fen("amount_fen", minimum=1),
    Column("paid_on", Date, nullable=False),
    Column("made_by", Text, nullable=False),
    instant("recorded_at"),
    tenant_unique("reference"),
    tenant_reference("partner_id", "billing_partner"),
    Index("ix_billing_payout_partner", "tenant_id", "partner_id", "id"),
)
