"""Tables of the evidence log. Rows of leaves, tiles and checkpoints are only ever added."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, SmallInteger, Text, Uuid

from xinzu.platform.db import instant, tenant_table, tenant_unique

# One row per tenant: the head of its log. ``frontier`` holds one hash per set bit of ``size``; whoever appends locks this row.
log = tenant_table(
    "evidence_log",
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    instant("updated_at"),
    CheckConstraint("size >= 0 AND octet_length(frontier) = 32 * bit_count(int8send(size))", name="frontier_of_size"),
    key=(),
)

leaf = tenant_table(
    "evidence_leaf",
    Column("position", BigInteger, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    instant("recorded_at"),
    Column("body", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    tenant_unique("id"),
    Index("ix_evidence_leaf_subject", "tenant_id", "subject_id", "position"),
    CheckConstraint("octet_length(leaf_hash) = 32", name="leaf_hash_bytes"),
    key=("position",),
)

# ``root`` is the hash over the tile's 256: an entry of the level above can be read without reading the tile.
tile = tenant_table(
    "evidence_tile",
    Column("level", SmallInteger, nullable=False),
    Column("tile_index", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    CheckConstraint("octet_length(hashes) = 8192 AND octet_length(root) = 32", name="tile_full"),
    key=("level", "tile_index"),
)

# Hashes do not compress and 8 KiB do not fit a page: the first migration stores them out of line, without trying.

checkpoint = tenant_table(
    "evidence_checkpoint",
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    instant("signed_at"),
    CheckConstraint("size > 0 AND octet_length(root) = 32", name="tree_head"),
    key=("size",),
)

# The newest key signs; older public keys stay so that older notes can still be checked.
signer = tenant_table(
    "evidence_signer",
    Column("key_id", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("private_key_sealed", LargeBinary, nullable=False),
    instant("created_at"),
    CheckConstraint("octet_length(key_id) = 4 AND octet_length(public_key) = 32", name="ed25519_key"),
    key=("key_id",),
)
