"""What numbers must look like, and that a refusal names the field and never the value."""

import pytest

from xinzu.kernel.errors import Invalid
from xinzu.platform.crypto.identifiers import normalize_bank_card, normalize_credit_code, normalize_identity_no, normalize_mobile


@pytest.mark.parametrize(
    "text", ["11010519491231002X", "11010519491231002x", "110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_an_identity_number_has_one_written_form(text: str) -> None:
    assert normalize_identity_no(text) == "11010519491231002X"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("110105194912310021", "identifier.identity_no_check"),
        ("110105194913310020", "identifier.identity_no_birth_date"),
        ("110105190002290020", "identifier.identity_no_birth_date"),
        ("990105194912310020", "identifier.identity_no_form"),
        ("110105491231002", "identifier.identity_no_form"),
        ("", "identifier.identity_no_form"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢٠", "identifier.identity_no_form"),
    ],
)
def test_a_wrong_identity_number_is_refused_without_repeating_it(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        normalize_identity_no(text, "/lessee/identity_no")
    (error,) = refusal.value.errors
    assert (error.pointer, error.code) == ("/lessee/identity_no", code)
    assert not text or text not in f"{refusal.value} {error}"


@pytest.mark.parametrize("text", ["13812341234", "+86 138 1234 1234", "0086-13812341234", "８６13812341234"])
def test_a_mobile_has_one_written_form(text: str) -> None:
    assert normalize_mobile(text) == "13812341234"


@pytest.mark.parametrize("text", ["12812341234", "1381234123", "138123412345", "+1 3812341234", "phone"])
def test_a_wrong_mobile_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        normalize_mobile(text)


def test_a_credit_code_is_checked() -> None:
    assert normalize_credit_code("91350100m000100y43") == "91350100M000100Y43"
    for wrong in ("91350100M000100Y44", "91350100I000100Y43", "9135010"):
        with pytest.raises(Invalid):
            normalize_credit_code(wrong)


def test_a_bank_card_is_checked() -> None:
    assert normalize_bank_card("6222 0212 3456 7894") == "6222021234567894"
    for wrong in ("6222021234567890", "622202123456", "62220212345678941234"):
        with pytest.raises(Invalid):
            normalize_bank_card(wrong)
