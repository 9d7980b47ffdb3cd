"""How an Alipay answer is believed: exact characters, whatever the strings inside hold."""

from __future__ import annotations

import doctest
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzu.platform import alipay_wire as wire
from xinzu.platform.crypto.signing import new_rsa_keys, rsa2_sign

KEYS = new_rsa_keys()
METHOD = "alipay.trade.query"


def envelope(content: str, signature: str | None = None) -> str:
    signature = rsa2_sign(KEYS.private_pem, content.encode()) if signature is None else signature
    return f'{{"alipay_trade_query_response":{content},"sign":"{signature}"}}'


@given(
    st.dictionaries(
        st.text(max_size=8), st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=5), max_size=3), max_size=5
    )
)
def test_any_signed_object_is_read_as_it_was_sent(content: dict[str, object]) -> None:
    text = json.dumps(content)
    assert wire.read_answer(envelope(text), METHOD, KEYS.public_pem).content == content


@pytest.mark.parametrize(
    "content", ['{"a":"\\"}"}', '{ "a" : "},\\"sign\\":\\"x" }', '{"a":{"sign":"inner"}}', '{"alipay_trade_query_response":{}}']
)
def test_strings_that_look_like_the_envelope_do_not_confuse(content: str) -> None:
    assert wire.read_answer(envelope(content), METHOD, KEYS.public_pem).content == json.loads(content)


def test_members_may_stand_in_any_order_with_any_space() -> None:
    content = '{"code":"10000"}'
    sign = rsa2_sign(KEYS.private_pem, content.encode())
    text = f' {{ "alipay_cert_sn" : "x", "sign" : "{sign}" ,\n "alipay_trade_query_response" : {content} }} '
    assert wire.read_answer(text, METHOD, KEYS.public_pem).code == "10000"


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"x":1}', "<html>502</html>", '{"alipay_trade_query_response":{}} x', "[" * 100_000]
)
def test_what_is_no_answer_is_malformed(text: str) -> None:
    with pytest.raises(wire.Malformed):
        wire.read_answer(text, METHOD, KEYS.public_pem)


def test_a_member_named_twice_is_malformed() -> None:
    text = envelope('{"code":"10000"}')
    with pytest.raises(wire.Malformed):
        wire.read_answer(text[:-1] + ',"alipay_trade_query_response":{"code":"40004"}}', METHOD, KEYS.public_pem)


def test_an_unsigned_or_wrongly_signed_answer_is_not_believed() -> None:
    unsigned = '{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}'
    reformatted = envelope('{"code":"10000"}').replace('{"code"', '{ "code"')
    for text in (unsigned, reformatted, envelope("{}", "AAAA"), envelope("{}", "")):
        with pytest.raises(wire.SignatureBroken):
            wire.read_answer(text, METHOD, KEYS.public_pem)


def test_empty_values_are_neither_signed_nor_sent() -> None:
    complete = wire.signed({"b": "2", "a": "", "c": "3"}, KEYS.private_pem)
    assert set(complete) == {"b", "c", "sign"}
    assert wire.string_to_sign(complete) == "b=2&c=3"


def test_stated_examples_are_true() -> None:
    assert doctest.testmod(wire).failed == 0
