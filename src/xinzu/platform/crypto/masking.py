"""What people and logs may see of personal data (PIPL art. 6 and 51): enough to recognise, not enough to use.

Clear values are revealed only on purpose and on record; everything else shows one of these forms.
"""

from __future__ import annotations

import re

_FULL_WIDTH = re.compile("[０-９]")
_TO_ASCII = {ord("０") + digit: str(digit) for digit in range(10)}
_IDENTITY_NO = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
# Cards issued or accepted in China begin with 3-6 or 9; order and trade numbers, which begin with a year, stay readable.
_BANK_CARD = re.compile(r"(?<![0-9])[3-69][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{3,4}(?:[ -]?[0-9]{1,3})?(?![0-9])")
_PHONE = re.compile(r"(?<![0-9])((?:(?:00)?86[ -]?)?)(1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4})(?![0-9])")
_ADDRESS_HEAD = re.compile(
    r"(?P<province>[^0-9\s]{2,8}?(?:省|自治区|特别行政区))?"
    r"(?P<city>[^0-9\s]{1,10}?(?:市|自治州|地区|盟))?"
    # 小区, 社区 and the like are where a person lives, not a district.
    r"(?P<district>[^0-9\s]{1,10}?(?:(?<![小社园校街厂片景])区|县|旗|市))?"
)
# A digest may hold a run of digits that looks like a phone; it must stay whole to be of use as evidence.
_DIGEST_CHARS_MIN = 32
_DIGEST = re.compile(rf"(?<![0-9A-Za-z])((?=[0-9]*[a-f])[0-9a-f]{{{_DIGEST_CHARS_MIN},}})(?![0-9A-Za-z])")
_HIDDEN = "****"


def mask_name(name: str) -> str:
    """The first character only; at most three stars, so that a long name does not give itself away by its length.

    >>> mask_name("张三"), mask_name("欧阳娜娜"), mask_name("")
    ('张*', '欧***', '')
    """
    text = name.strip()
    return text[:1] + "*" * min(max(len(text) - 1, 0), 3) if len(text) > 1 else "*" * len(text)


def mask_identity_no(identity_no: str) -> str:
    """The first three (province and city) and the last four characters.

    >>> mask_identity_no("330102199001011234")
    '330***********1234'
    """
    return _middle_hidden(identity_no.strip(), head=3, tail=4)


def mask_phone(phone: str) -> str:
    """The operator's three and the last four digits.

    >>> mask_phone("13812341234")
    '138****1234'
    """
    return _middle_hidden(phone.strip(), head=3, tail=4)


def mask_bank_card(card_no: str) -> str:
    """The first four and the last four digits; spaces and hyphens are dropped.

    >>> mask_bank_card("6222 0212 3456 7894")
    '6222********7894'
    """
    return _middle_hidden(re.sub(r"[\s-]", "", card_no), head=4, tail=4)


def mask_address(address: str) -> str:
    """Province, city and district stay, the rest is hidden; all of it when no administrative part is recognised.

    >>> mask_address("浙江省杭州市西湖区文三路 90 号 3 单元"), mask_address("幸福小区3号")
    ('浙江省杭州市西湖区****', '****')
    """
    text = address.strip()
    head = _ADDRESS_HEAD.match(text)
    kept = head.group(0) if head else ""
    return kept + _HIDDEN if text else ""


def redact(text: str) -> str:
    """Identity numbers, phones and bank cards in free text replaced by their masked forms. For logs and error details.

    A net under the rule, not the rule: names and addresses have no pattern and must not be put into a log at all.

    >>> redact("call 13812341234 about 330102199001011234")
    'call 138****1234 about 330***********1234'
    """
    if _FULL_WIDTH.search(text):
        text = text.translate(_TO_ASCII)
    if len(text) < _DIGEST_CHARS_MIN or not _DIGEST.search(text):
        return _redacted(text)
    return "".join(part if place % 2 else _redacted(part) for place, part in enumerate(_DIGEST.split(text)))


def _redacted(text: str) -> str:
    text = _IDENTITY_NO.sub(lambda found: mask_identity_no(found.group()), text)
    text = _BANK_CARD.sub(lambda found: mask_bank_card(found.group()), text)
    return _PHONE.sub(lambda found: found.group(1) + mask_phone(re.sub(r"[ -]", "", found.group(2))), text)


def _middle_hidden(text: str, *, head: int, tail: int) -> str:
    """Hide all but head and tail; hide everything when too little would remain hidden."""
    hidden = len(text) - head - tail
    return text[:head] + "*" * hidden + text[-tail:] if hidden >= 3 else "*" * len(text)
