"""The consents without which an application may not be taken in, each given by itself.

PIPL art. 13 and 14 (informed and voluntary), art. 24 (automated decisions), arts. 28 and 29 (identity and financial data are
sensitive: separate consent). One tick for everything is none of these, so each purpose is a flag with its own text version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

MANDATORY_PURPOSES = ("application", "identity_check", "decision")
PURPOSE_ZH: Mapping[str, str] = MappingProxyType(
    {"application": "受理租赁申请", "identity_check": "核验身份", "decision": "自动化审核决定"}
)


def missing_purposes(given: Iterable[str]) -> list[str]:
    """The mandatory purposes that were not consented to, in their order.

    >>> missing_purposes(["decision", "application"])
    ['identity_check']
    """
    have = set(given)
    return [purpose for purpose in MANDATORY_PURPOSES if purpose not in have]
