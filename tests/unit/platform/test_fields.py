"""Text in request bodies: each pattern takes what it is for, and nothing that hides at the end of a line."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta

from xinzu.kernel.ids import Prefix, public_id
from xinzu.platform.http.fields import NAME, ONE_LINE, PROSE, Hex32, ProviderText, PublicId, TextVersion

Line = Annotated[str, Meta(pattern=ONE_LINE)]
Prose = Annotated[str, Meta(pattern=PROSE)]
Name = Annotated[str, Meta(pattern=NAME)]
DIGEST = "0f" * 32

TAKEN = [
    (Line, "浦东新区世纪大道 1 号"),
    (Prose, ""),
    (Prose, "屏幕有划痕\n边框磨损\n"),
    (Name, "IMEI-35.123_4"),
    (PublicId, public_id(Prefix.ASSET, UUID(int=7))),
    (Hex32, DIGEST),
    (ProviderText, "SF 100/2"),
    (TextVersion, "clause-2026.1"),
]
REFUSED = [
    (Line, "   "),
    (Line, "one\ntwo"),
    (Line, "nul\0"),
    (Prose, "nul\0"),
    (Prose, "bell\x07"),
    (Name, "-begins with a hyphen"),
    (Name, "序列号"),
    (PublicId, "ast_short"),
    (Hex32, DIGEST.upper()),
    (Hex32, DIGEST[:-2]),
    (ProviderText, "快递"),
    (TextVersion, ""),
]


@pytest.mark.parametrize(("constraint", "text"), TAKEN)
def test_what_it_is_for_is_taken(constraint: Any, text: str) -> None:
    assert msgspec.convert(text, constraint) == text


@pytest.mark.parametrize(("constraint", "text"), REFUSED)
def test_anything_else_is_refused(constraint: Any, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, constraint)


@pytest.mark.parametrize(("constraint", "text"), [pair for pair in TAKEN if pair[0] is not Prose])
def test_a_line_feed_at_the_end_makes_no_second_value(constraint: Any, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text + "\n", constraint)
