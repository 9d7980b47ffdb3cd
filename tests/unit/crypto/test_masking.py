"""What people and logs may see."""

import doctest

import pytest

from xinzu.platform.crypto import identifiers, masking, passwords
from xinzu.platform.crypto.masking import mask_address, mask_bank_card, mask_identity_no, mask_name, mask_phone, redact


@pytest.mark.parametrize("module", [identifiers, masking, passwords])
def test_stated_examples_are_true(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张三", "张*"), ("欧阳娜娜", "欧***"), ("张", "*"), ("阿卜杜拉·买买提", "阿***"), (" 李四 ", "李*"), ("", "")],
)
def test_a_name_shows_its_first_character(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("上海市浦东新区张江路1号", "上海市浦东新区****"),
        ("广东省深圳市南山区科技园小区5栋", "广东省深圳市南山区****"),
        ("新疆维吾尔自治区伊犁哈萨克自治州伊宁市解放路", "新疆维吾尔自治区伊犁哈萨克自治州伊宁市****"),
        ("文三路90号", "****"),
        ("阳光社区2号", "****"),
        ("", ""),
    ],
)
def test_an_address_shows_its_district_and_no_street(address: str, shown: str) -> None:
    assert mask_address(address) == shown


def test_values_too_short_to_hide_enough_are_hidden_whole() -> None:
    assert (mask_phone("12345678"), mask_identity_no("1234567"), mask_bank_card("12345678")) == (
        "********",
        "*******",
        "********",
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tel 13812341234.", "tel 138****1234."),
        ("电话：138-1234-1234", "电话：138****1234"),
        ("phone=+8613812341234&x", "phone=+86138****1234&x"),
        ("11010519491231002X 和 6222 0212 3456 7894 123", "110***********002X 和 6222***********4123"),
        ("身份证１１０１０５１９４９１２３１００２X", "身份证110***********002X"),
    ],
)
def test_free_text_loses_numbers_that_identify(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_digest_stays_whole_even_with_a_phone_inside() -> None:
    digest = "ab13812341234cd" + "0123456789abcdef" * 3
    assert redact(f"sha256 {digest} of 13812341234") == f"sha256 {digest} of 138****1234"


def test_order_numbers_and_hashes_stay_readable() -> None:
    text = "trade 2026112222001412345678 out_trade_no pay_01jd6x7k0f sha256 9f86d081884c7d65 app_id 2021000100000001"
    assert redact(text) == text
