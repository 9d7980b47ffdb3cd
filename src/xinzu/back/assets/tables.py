"""Tables of assets."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Index, Integer, LargeBinary, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, TSTZRANGE, ExcludeConstraint

from xinzu.back.assets.model import AssetState, DeliveryState, LeavingCause, ShipmentState
from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique

asset = tenant_table(
    "assets_asset",
    Column("id", Uuid, nullable=False),
    Column("serial", Text, nullable=False),
    Column("product_id", Uuid, nullable=False),
    fen("purchase_cost_fen"),
    Column("acquired_on", Date, nullable=False),
    Column("state", Text, nullable=False),
    instant("registered_at"),
    Column("leaves_on", Date),
    Column("leaves_as", Text),
    Column("is_booked", Boolean, nullable=False),
    tenant_unique("serial"),
    one_of("state", AssetState),
    one_of("leaves_as", LeavingCause),
    CheckConstraint("(leaves_on IS NULL) = (leaves_as IS NULL)", name="leaves_somehow"),
    Index("ix_assets_asset_unbooked", "tenant_id", "id", postgresql_where=text("NOT is_booked")),
    Index("ix_assets_asset_stock", "tenant_id", "product_id", "state", "id"),
)

# One asset has one holder at a time, and one agreement holds one asset at a time: whatever the code does, the database says no.
occupancy = tenant_table(
    "assets_occupancy",
    Column("id", Uuid, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    instant("handed_over_at", nullable=True),
    instant("returned_at", nullable=True),
    Column("returned_on", Date),
    tenant_reference("asset_id", "assets_asset"),
    ExcludeConstraint(
        ("tenant_id", "="), ("asset_id", "="), ("during", "&&"), using="gist", name="ex_assets_occupancy_asset_once"
    ),
    ExcludeConstraint(
        ("tenant_id", "="), ("agreement_id", "="), ("during", "&&"), using="gist", name="ex_assets_occupancy_agreement_once"
    ),
)

# Equality inside a GiST index needs btree_gist, a trusted extension: the first migration creates it as the owner.

delivery = tenant_table(
    "assets_delivery",
    Column("agreement_id", Uuid, nullable=False),
    Column("party_id", Uuid, nullable=False),
    Column("product_id", Uuid),
    Column("product_name", Text),
    fen("insured_fen", nullable=True),
    Column("state", Text, nullable=False),
    Column("asset_id", Uuid),
    instant("created_at"),
    instant("handed_over_at", nullable=True),
    tenant_reference("asset_id", "assets_asset"),
    one_of("state", DeliveryState),
    Index("ix_assets_delivery_state", "tenant_id", "state", "agreement_id"),
    key=("agreement_id",),
)

# ``request_sealed`` is the courier's request as it was decided (name, phone, address): a repeated call must say the same. It is
# emptied as soon as the courier's answer is known.
shipment = tenant_table(
    "assets_shipment",
    Column("id", Uuid, nullable=False),
    Column("agreement_id", Uuid, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("request_sealed", LargeBinary),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("courier_shipment_id", Text),
    Column("refusal", Text),
    instant("created_at"),
    instant("booked_at", nullable=True),
    instant("closed_at", nullable=True),
    tenant_reference("agreement_id", "assets_delivery", "agreement_id"),
    tenant_reference("asset_id", "assets_asset"),
    one_of("state", ShipmentState),
    Index(
        "uq_assets_shipment_open",
        "tenant_id",
        "agreement_id",
        unique=True,
        postgresql_where=text("state IN ('booking', 'booked')"),
    ),
)

# What the courier told, by its own event id: telling it again changes nothing.
courier_notice = tenant_table(
    "assets_courier_notice",
    Column("courier_event_id", Text, nullable=False),
    Column("shipment_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    instant("occurred_at"),
    instant("received_at"),
    tenant_reference("shipment_id", "assets_shipment"),
    key=("courier_event_id",),
)

inspection = tenant_table(
    "assets_inspection",
    Column("id", Uuid, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    Column("agreement_id", Uuid),
    Column("inspector", Text, nullable=False),
    instant("inspected_at"),
    Column("returned_on", Date),
    fen("damage_fen"),
    Column("asset_state", Text, nullable=False),
    tenant_reference("asset_id", "assets_asset"),
    Index("ix_assets_inspection_agreement", "tenant_id", "agreement_id"),
)

inspection_item = tenant_table(
    "assets_inspection_item",
    Column("inspection_id", Uuid, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("description", Text, nullable=False),
    fen("charge_fen"),
    Column("photo_sha256s", ARRAY(Text), nullable=False),
    tenant_reference("inspection_id", "assets_inspection"),
    key=("inspection_id", "number"),
)

# Who sends the parcels: one per tenant, sealed because the contact is a person.
warehouse = tenant_table(
    "assets_warehouse",
    Column("contact_sealed", LargeBinary, nullable=False),
    instant("updated_at"),
    key=(),
)

# A thing in the books, its cost without the invoiced VAT. ``next_month_on`` is the end of the next month it bears depreciation for: what
# is due is found by it. The estimates are those of the day it was taken in.
book = tenant_table(
    "assets_book",
    Column("asset_id", Uuid, nullable=False),
    fen("cost_fen"),
    fen("vat_fen"),
    fen("residual_fen"),
    Column("life_months", SmallInteger, nullable=False),
    Column("in_use_on", Date, nullable=False),
    fen("depreciated_fen"),
    Column("depreciated_months", SmallInteger, nullable=False),
    Column("next_month_on", Date),
    Column("left_on", Date),
    tenant_reference("asset_id", "assets_asset"),
    CheckConstraint("depreciated_fen <= cost_fen - residual_fen", name="depreciated_to_residual"),
    CheckConstraint("life_months > 0 AND depreciated_months BETWEEN 0 AND life_months", name="months_of_life"),
    Index("ix_assets_book_due", "tenant_id", "next_month_on", postgresql_where=text("next_month_on IS NOT NULL")),
    key=("asset_id",),
)

# The product of zeros stands for every product without its own row.
depreciation_policy = tenant_table(
    "assets_depreciation_policy",
    Column("product_id", Uuid, nullable=False),
    Column("useful_life_months", SmallInteger, nullable=False),
    Column("residual_pct", SmallInteger, nullable=False),
    Column("purchase_vat_pct", SmallInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    instant("changed_at"),
    CheckConstraint(
        "useful_life_months BETWEEN 1 AND 600 AND residual_pct BETWEEN 0 AND 90 AND purchase_vat_pct BETWEEN 0 AND 13",
        name="estimate_possible",
    ),
    key=("product_id",),
)
