"""What stands in the cells of an exported table."""

from __future__ import annotations

import re

_RUNS = ("=", "+", "-", "@", "\t", "\r")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def safe_text(text: str) -> str:
    """Text that no spreadsheet runs: what begins like a formula gets an apostrophe before it. Control characters become spaces, because
    a workbook may not hold them.

    Spaces before the sign do not help an attacker's formula, but some programs cut them off, so they are looked through.
    Source: OWASP, CSV Injection.

    >>> safe_text("=1+1"), safe_text("租金 = 299"), safe_text(" @sum")
    ("'=1+1", '租金 = 299', "' @sum")
    """
    text = f"'{text}" if text.lstrip(" \n\u3000\ufeff").startswith(_RUNS) else text
    return _UNPRINTABLE.sub(" ", text)
