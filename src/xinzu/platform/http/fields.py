"""Text and ids as request bodies may hold them: one pattern per meaning, for every module's ``schemas``.

Each pattern ends in ``$(?!\\n)``, because ``$`` alone lets a line feed pass at the end; PostgreSQL's text holds no NUL.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

# One line with something in it, and text that may go over several lines.
ONE_LINE = r"^(?=.*\S)[^\x00-\x1f\x7f]+$(?!\n)"
PROSE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$(?!\n)"
# What a thing is called by machines: a serial, the version of a text.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._\-]*$(?!\n)"

PublicId = Annotated[str, Meta(min_length=30, max_length=30, pattern=r"^[a-z]{3}_[0-9a-z]{26}$(?!\n)")]
# 32 bytes: a SHA-256 digest, an Ed25519 key.
Hex32 = Annotated[str, Meta(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}$(?!\n)")]
# Printable ASCII: what a provider names things by, stored as it came.
ProviderText = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+$(?!\n)")]
TextVersion = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=NAME, description="Version of the very text the customer agreed to")
]
