"""Keys wrap keys, fields open only in their place, rotation rewrites nothing."""

import json
import stat
import threading
from pathlib import Path

import pytest

from xinzu.platform.crypto.kms import KEYRING_FILE, FileKeyring, KeyringBroken
from xinzu.platform.crypto.vault import (
    DataKeyUnknown,
    SealBroken,
    TenantVault,
    add_data_key,
    load_vault,
    new_tenant_keys,
    rewrap,
)

SHANHU = 1
QINGTENG = 2
PLACE = "parties_person.phone:018f"


@pytest.fixture
def keyring(tmp_path: Path) -> FileKeyring:
    return FileKeyring.open_or_create(tmp_path / KEYRING_FILE)


@pytest.fixture
def vault(keyring: FileKeyring) -> TenantVault:
    return load_vault(keyring, SHANHU, new_tenant_keys(keyring, SHANHU))


def test_a_new_keyring_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / KEYRING_FILE
    FileKeyring.open_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_keyring_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / KEYRING_FILE
    FileKeyring.open_or_create(path)
    path.chmod(0o640)
    with pytest.raises(KeyringBroken, match="chmod 600"):
        FileKeyring(path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 1, "keys": {}}', '{"format": 1, "keys": {"1": "AAAA"}}', '{"format": 9}']
)
def test_a_damaged_keyring_is_refused_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / KEYRING_FILE
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyringBroken):
        FileKeyring.open_or_create(path)
    assert path.read_text() == content


def test_two_processes_starting_at_once_agree_on_one_keyring(tmp_path: Path) -> None:
    path = tmp_path / KEYRING_FILE
    rings: list[FileKeyring] = []
    threads = [threading.Thread(target=lambda: rings.append(FileKeyring.open_or_create(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrapped = rings[0].wrap(b"k" * 32, "a")
    assert {ring.unwrap(wrapped, "a") for ring in rings} == {b"k" * 32}


def test_a_wrapped_key_opens_only_in_its_context(keyring: FileKeyring) -> None:
    wrapped = keyring.wrap(b"k" * 32, "tenant:1")
    assert keyring.unwrap(wrapped, "tenant:1") == b"k" * 32
    with pytest.raises(KeyringBroken, match="tenant:2"):
        keyring.unwrap(wrapped, "tenant:2")


def test_rotation_keeps_older_blobs_readable_and_reaches_a_running_process(keyring: FileKeyring, tmp_path: Path) -> None:
    other_process = FileKeyring(tmp_path / KEYRING_FILE)
    old = keyring.wrap(b"k" * 32, "a")
    assert keyring.rotate() == 2
    new = keyring.wrap(b"k" * 32, "a")
    assert (old[1:5], new[1:5]) == (b"\0\0\0\1", b"\0\0\0\2")
    assert other_process.unwrap(new, "a") == other_process.unwrap(old, "a") == b"k" * 32


def test_a_lost_master_key_is_named(keyring: FileKeyring, tmp_path: Path) -> None:
    keyring.rotate()
    wrapped = keyring.wrap(b"k" * 32, "a")
    path = tmp_path / KEYRING_FILE
    document = json.loads(path.read_text())
    del document["keys"]["2"]
    path.write_text(json.dumps(document))
    with pytest.raises(KeyringBroken, match="no key version 2"):
        FileKeyring(path).unwrap(wrapped, "a")


def test_a_sealed_field_opens_in_its_place_and_is_33_bytes_longer(vault: TenantVault) -> None:
    sealed = vault.seal_text(PLACE, "13812341234")
    assert len(sealed) == len("13812341234") + 33
    assert b"1381234" not in sealed
    assert vault.open_text(PLACE, sealed) == "13812341234"


def test_sealing_twice_gives_two_different_texts(vault: TenantVault) -> None:
    assert vault.seal(PLACE, b"same") != vault.seal(PLACE, b"same")


def test_a_field_moved_to_another_row_does_not_open(vault: TenantVault) -> None:
    with pytest.raises(SealBroken):
        vault.open("parties_person.phone:0190", vault.seal_text(PLACE, "13812341234"))


def test_another_tenants_field_does_not_open_even_under_the_same_keys() -> None:
    keys = {1: b"k" * 32}
    sealed = TenantVault(SHANHU, keys, b"b" * 32).seal(PLACE, b"secret")
    with pytest.raises(SealBroken):
        TenantVault(QINGTENG, keys, b"b" * 32).open(PLACE, sealed)


def test_an_altered_or_truncated_field_does_not_open(vault: TenantVault) -> None:
    sealed = vault.seal(PLACE, b"secret")
    for broken in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:20], b"", b"\x02" + sealed[1:]):
        with pytest.raises(SealBroken):
            vault.open(PLACE, broken)


def test_another_tenants_wrapped_keys_do_not_load(keyring: FileKeyring) -> None:
    with pytest.raises(KeyringBroken):
        load_vault(keyring, QINGTENG, new_tenant_keys(keyring, SHANHU))


def test_data_key_rotation_seals_anew_and_still_opens_the_old(keyring: FileKeyring) -> None:
    first = new_tenant_keys(keyring, SHANHU)
    old_vault = load_vault(keyring, SHANHU, first)
    old = old_vault.seal(PLACE, b"secret")
    vault = load_vault(keyring, SHANHU, add_data_key(keyring, SHANHU, first))
    new = vault.seal(PLACE, b"secret")
    assert vault.open(PLACE, old) == vault.open(PLACE, new) == b"secret"
    assert (vault.is_current(old), vault.is_current(new)) == (False, True)
    with pytest.raises(DataKeyUnknown):
        old_vault.open(PLACE, new)


def test_master_key_rotation_rewraps_keys_and_touches_no_field(keyring: FileKeyring) -> None:
    wrapped = new_tenant_keys(keyring, SHANHU)
    vault = load_vault(keyring, SHANHU, wrapped)
    sealed, blind = vault.seal(PLACE, b"secret"), vault.blind("parties_person.phone", "1")
    keyring.rotate()
    again = rewrap(keyring, SHANHU, wrapped)
    assert again.blind_key[1:5] == b"\0\0\0\2"
    after = load_vault(keyring, SHANHU, again)
    assert after.open(PLACE, sealed) == b"secret"
    assert after.blind("parties_person.phone", "1") == blind


def test_a_blind_index_is_equal_within_and_unrelated_across_columns_and_tenants(vault: TenantVault) -> None:
    value = vault.blind("parties_person.phone", "13812341234")
    assert len(value) == 16
    assert value == vault.blind("parties_person.phone", "13812341234")
    assert value != vault.blind("parties_person.identity_no", "13812341234")
    assert value != TenantVault(QINGTENG, {1: b"k" * 32}, b"b" * 32).blind("parties_person.phone", "13812341234")
    same_key_other_tenant = [TenantVault(tenant, {1: b"k" * 32}, b"b" * 32).blind("c", "v") for tenant in (SHANHU, QINGTENG)]
    assert same_key_other_tenant[0] != same_key_other_tenant[1]
