"""What identity numbers, mobiles, company codes and bank cards must look like. Pure: no I/O, no clock.

Each ``normalize_*`` returns the one written form (upper case, half-width, no separators), which is what gets sealed and blind
indexed, or raises Invalid naming the field. Messages never repeat the value.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from xinzu.kernel.errors import Invalid

_SEPARATORS = re.compile(r"[\s\-.]")
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"
# First two digits: a province of GB/T 2260, or 81, 82, 83 of the residence permits of Hong Kong, Macau and Taiwan residents.
_IDENTITY_NO = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])[0-9]{15}[0-9X]")
_MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE = re.compile(f"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}")
_CREDIT_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))
_BANK_CARD = re.compile(r"[0-9]{13,19}")


def normalize_identity_no(text: str, pointer: str = "/identity_no") -> str:
    """A resident identity number (GB 11643-1999): 18 characters, real province, real birth date, right check character.

    >>> normalize_identity_no(" 11010519491231002x ")
    '11010519491231002X'
    """
    number = _half_width(text).upper()
    if not _IDENTITY_NO.fullmatch(number):
        raise Invalid.field(
            pointer, "identifier.identity_no_form", "身份证号应为18位，请核对", "An identity number has 18 characters: check it"
        )
    try:
        birth_date_of(number)
    except ValueError:
        raise Invalid.field(
            pointer,
            "identifier.identity_no_birth_date",
            "身份证号中的出生日期不存在，请核对",
            "The birth date in the identity number is no real date",
        ) from None
    if identity_no_check(number[:17]) != number[17]:
        raise Invalid.field(
            pointer,
            "identifier.identity_no_check",
            "身份证号校验位不符，请核对",
            "The identity number's check character is wrong: check it",
        )
    return number


def identity_no_check(first_17: str) -> str:
    """The check character of the first 17 digits (GB 11643-1999, ISO 7064 MOD 11-2).

    >>> identity_no_check("11010519491231002")
    'X'
    """
    return _IDENTITY_CHECKS[sum(int(digit) * weight for digit, weight in zip(first_17, _IDENTITY_WEIGHTS, strict=True)) % 11]


def birth_date_of(identity_no: str) -> date:
    """The birth date inside an identity number; raises ValueError when it is no date.

    >>> birth_date_of("11010519491231002X")
    datetime.date(1949, 12, 31)
    """
    return date(int(identity_no[6:10]), int(identity_no[10:12]), int(identity_no[12:14]))


def age_on(identity_no: str, on: date) -> int:
    """Full years of age on a date; a person born on 29 February has the birthday on 1 March in other years.

    >>> age_on("11010519491231002X", date(1967, 12, 30)), age_on("11010519491231002X", date(1967, 12, 31))
    (17, 18)
    """
    born = birth_date_of(identity_no)
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def normalize_mobile(text: str, pointer: str = "/phone") -> str:
    """A mainland mobile number as its 11 digits; a country code and separators are dropped.

    >>> normalize_mobile("+86 138-1234-1234")
    '13812341234'
    """
    found = _MOBILE.fullmatch(_half_width(text))
    if not found:
        raise Invalid.field(
            pointer,
            "identifier.mobile_form",
            "手机号应为11位大陆手机号，请核对",
            "A mainland mobile number has 11 digits and begins with 13 to 19",
        )
    return found.group(1)


def normalize_credit_code(text: str, pointer: str = "/credit_code") -> str:
    """A unified social credit code (GB 32100-2015): 18 characters of its alphabet with the right check character.

    >>> normalize_credit_code("91350100M000100Y43")
    '91350100M000100Y43'
    """
    code = _half_width(text).upper()
    if not _CREDIT_CODE.fullmatch(code):
        raise Invalid.field(
            pointer,
            "identifier.credit_code_form",
            "统一社会信用代码应为18位，请核对",
            "A unified social credit code has 18 characters: check it",
        )
    if credit_code_check(code[:17]) != code[17]:
        raise Invalid.field(
            pointer,
            "identifier.credit_code_check",
            "统一社会信用代码校验位不符，请核对",
            "The unified social credit code's check character is wrong",
        )
    return code


def credit_code_check(first_17: str) -> str:
    """The check character of the first 17 characters of a unified social credit code (GB 32100-2015)."""
    total = sum(_CREDIT_ALPHABET.index(char) * weight for char, weight in zip(first_17, _CREDIT_WEIGHTS, strict=True))
    return _CREDIT_ALPHABET[(31 - total % 31) % 31]


def normalize_bank_card(text: str, pointer: str = "/bank_card") -> str:
    """A bank card number of 13 to 19 digits with the right check digit (ISO/IEC 7812, Luhn).

    >>> normalize_bank_card("6222 0212 3456 7894")
    '6222021234567894'
    """
    number = _half_width(text)
    if not _BANK_CARD.fullmatch(number):
        raise Invalid.field(
            pointer,
            "identifier.bank_card_form",
            "银行卡号应为13至19位数字，请核对",
            "A bank card number has 13 to 19 digits: check it",
        )
    if luhn_check(number[:-1]) != number[-1]:
        raise Invalid.field(
            pointer, "identifier.bank_card_check", "银行卡号校验位不符，请核对", "The bank card number's check digit is wrong"
        )
    return number


def luhn_check(body: str) -> str:
    """The Luhn check digit of a number without it.

    >>> luhn_check("7992739871")
    '3'
    """
    total = 0
    for position, char in enumerate(reversed(body)):
        digit = int(char) * 2 if position % 2 == 0 else int(char)
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


def _half_width(text: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
