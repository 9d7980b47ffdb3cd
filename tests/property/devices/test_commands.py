"""What a phone obeys and what the house believes: not one byte may differ, nothing is old, nothing comes twice."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xinzu.app.sandbox.phone import LEVELS, Memory, Phone, recall
from xinzu.back.devices.errors import ReportRefused
from xinzu.back.devices.model import Level
from xinzu.back.devices.rules.commands import (
    EMERGENCY_NUMBERS,
    canonical,
    check_addressee,
    command_body,
    envelope,
    read_report,
    report_body,
)
from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.time import FixedClock
from xinzu.platform.crypto.signing import ed25519_public_key, ed25519_sign, ed25519_verify

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
SEED = bytes(range(32))
OTHER_SEED = bytes(range(1, 33))
DEVICE = UUID(int=7)
COMMAND = UUID(int=9)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def phone(folder: Path, *, counter: int = 5, at: datetime = NOW) -> Phone:
    memory = Memory(
        serial="356000000000001",
        seed=SEED.hex(),
        tenant="1",
        device=public_id(Prefix.DEVICE, DEVICE),
        pinned={"1": ed25519_public_key(SEED).hex()},
        counter=counter,
    )
    return Phone(folder, memory, FixedClock(at))


def body(level: Level = Level.LOCK, counter: int = 6, *, tenant_id: int = 1, device_id: UUID = DEVICE, hours: float = 2) -> bytes:
    return command_body(
        tenant_id=tenant_id,
        device_id=device_id,
        command_id=COMMAND,
        level=level,
        counter=counter,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=hours),
    )


def sent(content: bytes, seed: bytes = SEED, key: int = 1) -> bytes:
    return envelope(content, ed25519_sign(seed, content), key)


def said(answer: bytes | None) -> dict[str, object]:
    assert answer is not None
    found: dict[str, object] = json.loads(base64.b64decode(json.loads(answer)["body"]))
    return found


@QUICK
@given(level=st.sampled_from(Level), counter=st.integers(6, 2**53 - 1))
def test_a_right_command_is_obeyed_and_answered_under_the_phones_key(tmp_path: Path, level: Level, counter: int) -> None:
    agent = phone(tmp_path)
    answer = agent.obey(sent(body(level, counter)))
    assert (agent.level, agent.memory.counter) == (level, counter)
    assert answer is not None
    signed = read_report(answer)
    assert ed25519_verify(ed25519_public_key(SEED), signed.body, signed.signature)
    assert report_body(signed.report) == signed.body
    assert (signed.report.level, signed.report.command_id) == (level, COMMAND)
    check_addressee(signed, tenant_id=1, device_id=DEVICE, sequence_seen=0)


def test_every_single_flipped_byte_is_rejected(tmp_path: Path) -> None:
    agent, content = phone(tmp_path), body()
    signature = ed25519_sign(SEED, content)
    for place in range(len(content)):
        for bit in (0x01, 0x80):
            changed = bytearray(content)
            changed[place] ^= bit
            assert agent.obey(envelope(bytes(changed), signature, 1)) is None
    for place in range(len(signature)):
        changed = bytearray(signature)
        changed[place] ^= 0x01
        assert agent.obey(envelope(content, bytes(changed), 1)) is None
    assert (agent.level, agent.memory.counter) == ("free", 5)


@QUICK
@given(noise=st.binary(max_size=300))
def test_noise_is_rejected_without_a_word_and_without_an_exception(tmp_path: Path, noise: bytes) -> None:
    agent = phone(tmp_path)
    assert agent.obey(noise) is None
    with pytest.raises(ReportRefused):
        read_report(noise)


@QUICK
@given(counter=st.integers(0, 5))
def test_a_counter_that_is_not_newer_is_refused(tmp_path: Path, counter: int) -> None:
    agent = phone(tmp_path)
    assert said(agent.obey(sent(body(Level.LOCK, counter))))["reason"] == "old_counter"
    assert agent.level == "free"


def test_the_same_command_again_changes_nothing_and_is_answered_again(tmp_path: Path) -> None:
    agent, payload = phone(tmp_path), sent(body())
    first, again = said(agent.obey(payload)), said(agent.obey(payload))
    assert (first["result"], again["result"]) == ("applied", "applied")
    assert first["sequence"] != again["sequence"]
    older = sent(body(Level.FREE, 6))
    agent.memory.last_command_id = ""
    assert said(agent.obey(older))["reason"] == "old_counter"
    assert agent.level == "lock"


def test_an_expired_command_is_refused(tmp_path: Path) -> None:
    agent = phone(tmp_path, at=NOW + timedelta(hours=3))
    assert said(agent.obey(sent(body())))["reason"] == "expired"


def test_another_key_another_device_another_tenant_get_silence(tmp_path: Path) -> None:
    agent = phone(tmp_path)
    assert agent.obey(sent(body(), seed=OTHER_SEED)) is None
    assert agent.obey(sent(body(), key=2)) is None
    assert agent.obey(sent(body(device_id=new_id()))) is None
    assert agent.obey(sent(body(tenant_id=2))) is None
    assert agent.forged == 4


def test_a_command_without_the_emergency_numbers_is_refused_even_under_the_right_key(tmp_path: Path) -> None:
    agent = phone(tmp_path)
    content = json.loads(body())
    content["policy"]["emergency_numbers"].remove("120")
    assert said(agent.obey(sent(canonical(content))))["reason"] == "no_emergency_calls"


def test_emergency_calls_go_out_at_every_level(tmp_path: Path) -> None:
    agent = phone(tmp_path)
    for counter, level in enumerate(LEVELS, 6):
        agent.obey(sent(body(Level(level), counter)))
        agent.memory.last_command_id = ""
        assert all(agent.can_call(number) for number in EMERGENCY_NUMBERS)
        assert agent.can_call("13800138000") == (level != "lock")


def test_a_report_played_again_or_meant_for_another_is_refused(tmp_path: Path) -> None:
    signed = read_report(phone(tmp_path).hello())
    check_addressee(signed, tenant_id=1, device_id=DEVICE, sequence_seen=0)
    for wrong in (
        {"tenant_id": 2, "device_id": DEVICE, "sequence_seen": 0},
        {"tenant_id": 1, "device_id": new_id(), "sequence_seen": 0},
        {"tenant_id": 1, "device_id": DEVICE, "sequence_seen": signed.report.sequence},
    ):
        with pytest.raises(ReportRefused):
            check_addressee(signed, **wrong)  # type: ignore[arg-type]


def test_a_phone_remembers_across_a_restart(tmp_path: Path) -> None:
    agent = phone(tmp_path)
    agent.obey(sent(body()))
    memory = recall(tmp_path, agent.memory.serial)
    assert memory == agent.memory
