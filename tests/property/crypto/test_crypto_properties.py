"""Sealing round-trips for every value, check characters catch every single-digit slip, masks and redaction never leak."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzu.kernel.errors import Invalid
from xinzu.platform.crypto.identifiers import (
    birth_date_of,
    identity_no_check,
    luhn_check,
    normalize_bank_card,
    normalize_identity_no,
)
from xinzu.platform.crypto.masking import mask_address, mask_bank_card, mask_identity_no, mask_name, mask_phone, redact
from xinzu.platform.crypto.vault import SealBroken, TenantVault

VAULT = TenantVault(7, {1: b"k" * 32, 9: b"l" * 32}, b"b" * 32)
DIGITS = st.sampled_from(string.digits)


@st.composite
def identity_numbers(draw: st.DrawFn) -> str:
    region = draw(st.sampled_from(["110105", "330102", "440305", "650102", "810000"]))
    born = draw(st.dates(date(1900, 1, 1), date(2026, 11, 22)))
    body = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + identity_no_check(body)


@given(st.text(), st.text())
def test_every_text_opens_as_it_was_sealed(context: str, text: str) -> None:
    # Lone surrogates cannot be written as UTF-8 and never come from JSON or HTTP.
    context, text = (part.encode("utf-8", "ignore").decode() for part in (context, text))
    assert VAULT.open_text(context, VAULT.seal_text(context, text)) == text


@given(st.binary(max_size=64), st.integers(0, 96), st.integers(1, 255))
def test_any_changed_byte_breaks_the_seal(plaintext: bytes, position: int, flip: int) -> None:
    sealed = bytearray(VAULT.seal("c", plaintext))
    sealed[position % len(sealed)] ^= flip
    with pytest.raises(SealBroken):
        VAULT.open("c", bytes(sealed))


@given(identity_numbers())
def test_every_well_made_identity_number_is_accepted_and_keeps_its_birth_date(number: str) -> None:
    assert normalize_identity_no(number.lower()) == number
    assert f"{birth_date_of(number):%Y%m%d}" == number[6:14]


@given(identity_numbers(), st.integers(0, 16), DIGITS)
def test_one_wrong_digit_is_always_caught(number: str, position: int, digit: str) -> None:
    wrong = number[:position] + digit + number[position + 1 :]
    if wrong != number:
        with pytest.raises(Invalid):
            normalize_identity_no(wrong)


@given(st.text(DIGITS, min_size=12, max_size=18), st.integers(0, 17), DIGITS)
def test_one_wrong_card_digit_is_always_caught(body: str, position: int, digit: str) -> None:
    card = body + luhn_check(body)
    assert normalize_bank_card(card) == card
    position %= len(body)
    wrong = card[:position] + digit + card[position + 1 :]
    if wrong != card:
        with pytest.raises(Invalid):
            normalize_bank_card(wrong)


@given(identity_numbers(), st.integers(0, 10**8 - 1), st.text(DIGITS, min_size=12, max_size=15))
def test_a_log_line_never_holds_a_number_in_clear(identity_no: str, tail: int, card_body: str) -> None:
    phone = f"139{tail:08d}"
    card = "622" + card_body
    shown = redact(f"party {identity_no}, {phone}; card {card}。")
    assert identity_no not in shown
    assert phone not in shown
    assert card not in shown


@given(st.text(max_size=40))
def test_masks_take_any_text_and_redaction_is_stable(text: str) -> None:
    for mask in (mask_name, mask_identity_no, mask_phone, mask_bank_card, mask_address):
        mask(text)
    assert redact(redact(text)) == redact(text)
