"""The small parts of the embedded servers: secrets, ports, reachable folders, NATS keys, SCRAM verifiers."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xinzu.platform.servers import nkeys, ports
from xinzu.platform.servers.home import Account, can_pass, prepare_home, reachable_copy, secret
from xinzu.platform.servers.postgres import Endpoint
from xinzu.platform.servers.roles import scram_verifier

STRANGER = Account("stranger", 54321, 54321)


def test_a_secret_is_generated_once_even_when_many_ask_at_the_same_time(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(lambda _: secret(home, "key"), range(32)))
    assert len(values) == 1
    assert [path.name for path in (home / "secrets").iterdir()] == ["key"]
    assert (home / "secrets" / "key").stat().st_mode & 0o777 == 0o600


def test_the_next_free_port_is_taken_when_the_preferred_one_is_busy_or_promised() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        busy = squatter.getsockname()[1]
        assert not ports.is_free(busy)
        assert ports.free_port(busy) != busy
    promised = ports.free_port(0)
    assert ports.free_port(promised, taken=frozenset({promised})) != promised


def test_a_recorded_port_is_found_and_a_damaged_record_is_none(tmp_path: Path) -> None:
    ports.record(tmp_path, "api", 8700)
    assert ports.recorded(tmp_path, "api") == 8700
    (tmp_path / "api.port").write_text("nonsense")
    assert ports.recorded(tmp_path, "api") is None
    assert ports.recorded(tmp_path, "worker") is None


def test_a_closed_folder_anywhere_above_bars_the_way(tmp_path: Path) -> None:
    below = tmp_path / "closed" / "open"
    below.mkdir(parents=True)
    below.chmod(0o755)
    below.parent.chmod(0o700)
    assert not can_pass(below, STRANGER)
    assert can_pass(below, None)


def test_programs_in_a_closed_folder_are_copied_once(tmp_path: Path) -> None:
    source = tmp_path / "closed"
    (source / "bin").mkdir(parents=True)
    (source / "bin" / "tool").write_text("#!/bin/sh\n")
    (source / "bin" / "tool").chmod(0o700)
    source.chmod(0o700)
    root = tmp_path / "root"
    root.mkdir()
    copy = reachable_copy(source, root, STRANGER, ("bin", "absent"))
    assert (copy / "bin" / "tool").stat().st_mode & 0o777 == 0o755
    assert reachable_copy(source, root, STRANGER, ("bin", "absent")) == copy
    assert len(list((root / "programs").iterdir())) == 1
    assert reachable_copy(source, root, None, ("bin",)) == source


def test_urls_quote_what_must_be_quoted() -> None:
    endpoint = Endpoint(5432, Path("/run/x y"))
    assert endpoint.url("u", "p@/:", "db") == "postgresql+asyncpg://u:p%40%2F%3A@/db?host=/run/x%20y&port=5432"
    assert endpoint.url("u", "p", "db", socket=False) == "postgresql+asyncpg://u:p@127.0.0.1:5432/db"


def test_a_token_is_bound_to_its_issuer(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    key = nkeys.account_key(home)
    assert key.public.startswith("A")
    assert len(key.public) == 56
    token = nkeys.sign(key, {"sub": "x"}, 1_700_000_000)
    assert nkeys.verify(token)["iss"] == key.public
    head, body, signature = token.split(".")
    for forged in (
        f"{head}.{body[:-2]}AA.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        "a.b.c",
        "",
        f"{body}.{body}.{signature}",
    ):
        with pytest.raises(nkeys.BadToken):
            nkeys.verify(forged)


def test_a_damaged_public_key_is_refused() -> None:
    good = nkeys.encode(0, bytes(32))
    assert nkeys.decode(good) == bytes(32)
    for bad in (good[:-1], "B" + good[1:], "!", ""):
        with pytest.raises(nkeys.BadToken):
            nkeys.decode(bad)


def test_scram_verifiers_are_salted() -> None:
    first, second = scram_verifier("secret"), scram_verifier("secret")
    assert first != second
    assert first.startswith("SCRAM-SHA-256$4096:")
    assert "secret" not in first
