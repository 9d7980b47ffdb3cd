"""Signed notes: our text forms against the published vectors of Go's sumdb and C2SP, and what must be refused."""

from __future__ import annotations

import base64

import pytest

from xinzu.platform.crypto.signing import ed25519_public_key, ed25519_sign
from xinzu.records.evidence.rules.notes import (
    Checkpoint,
    NoteMalformed,
    NoteSignature,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    signature_of,
    write_checkpoint,
    write_note,
    write_vkey,
)
from xinzu.records.evidence.verify import NotProven, open_checkpoint

# The key and note of the reference implementation (golang.org/x/mod/sumdb/note).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETER_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_NOTE = (
    PETER_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of c2sp.org/tlog-checkpoint.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_reference_note_verifies_and_is_reproduced_byte_for_byte() -> None:
    key = parse_vkey(PETER)
    assert key.public_key == ed25519_public_key(PETER_SEED)
    assert key.key_id.hex() == "c74f20a3"
    assert write_vkey(key) == PETER
    signature = ed25519_sign(PETER_SEED, PETER_TEXT.encode())
    assert write_note(PETER_TEXT, [NoteSignature(key.name, key.key_id, signature)]) == PETER_NOTE
    note = parse_note(PETER_NOTE)
    assert note.text == PETER_TEXT
    assert signature_of(note, key) == signature


def test_checkpoint_text_is_read_and_written_as_the_specification_shows_it() -> None:
    checkpoint = parse_checkpoint(SOFA)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root.hex()[:8]) == (
        "example.com/behind-the-sofa",
        20852163,
        "0ac5186a",
    )
    assert write_checkpoint(checkpoint) == SOFA
    assert parse_checkpoint(SOFA + "an extension\n") == checkpoint


def test_signatures_of_witnesses_do_not_disturb() -> None:
    key = parse_vkey(PETER)
    witness = NoteSignature("witness.example/w1", b"\x01\x02\x03\x04", b"\x04" * 72)
    note = parse_note(write_note(PETER_TEXT, [witness, *parse_note(PETER_NOTE).signatures]))
    assert [one.name for one in note.signatures] == ["witness.example/w1", "PeterNeumann"]
    assert signature_of(note, key) is not None


def test_no_part_of_a_verifier_key_is_a_verifier_key() -> None:
    for first in range(len(PETER)):
        for last in range(first, len(PETER) + 1):
            if (first, last) != (0, len(PETER)):
                with pytest.raises(NoteMalformed):
                    parse_vkey(PETER[first:last])


@pytest.mark.parametrize(
    "text",
    [
        PETER.replace("PeterNeumann", "PeterNeumanN"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("ARpc", "AhPc"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        "",
    ],
)
def test_a_verifier_key_that_disagrees_with_itself_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        parse_vkey(text)


@pytest.mark.parametrize(
    "note",
    [
        "",
        PETER_TEXT,
        PETER_NOTE[:-1],
        PETER_NOTE.replace("— ", "- "),
        PETER_NOTE.replace("\n\n", "\n"),
        PETER_NOTE.replace("PeterNeumann x08", "Peter+Neumann x08"),
        PETER_NOTE.replace("x08go", "x0*go"),
        PETER_NOTE.replace("your problem", "your\tproblem"),
        PETER_TEXT + "\n— PeterNeumann x08gow==\n",
        PETER_NOTE + "— a AAAAAAAA\n" * 100,
    ],
)
def test_a_damaged_note_is_refused(note: str) -> None:
    with pytest.raises(NoteMalformed):
        parse_note(note)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n5\n",
        SOFA[:-1],
        SOFA.replace("20852163", "020852163"),
        SOFA.replace("20852163", "-1"),
        SOFA.replace("20852163", "٣"),
        SOFA.replace("20852163", "9" * 5000),
        SOFA.replace("q2I=", "q2J="),
        SOFA.replace("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "CsUYapGG"),
        SOFA + "\n",
    ],
)
def test_a_damaged_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformed):
        parse_checkpoint(text)


def signed(origin: str, name: str, seed: bytes) -> str:
    text = write_checkpoint(Checkpoint(origin, 7, bytes(32)))
    key = VerifierKey(name, ed25519_public_key(seed))
    return write_note(text, [NoteSignature(name, key.key_id, ed25519_sign(seed, text.encode()))])


def test_a_checkpoint_is_opened_only_by_its_own_logs_key() -> None:
    seed, other = bytes(range(32)), bytes(32)
    key = VerifierKey("xinzu.example/log", ed25519_public_key(seed))
    assert open_checkpoint(signed(key.name, key.name, seed), key).size == 7
    with pytest.raises(NotProven, match="not signed by this key"):
        open_checkpoint(signed(key.name, key.name, other), key)
    with pytest.raises(NotProven, match="another log"):
        open_checkpoint(signed("xinzu.example/other", key.name, seed), key)
    with pytest.raises(NotProven, match="does not verify"):
        open_checkpoint(signed(key.name, key.name, seed).replace("\n7\n", "\n8\n"), key)
