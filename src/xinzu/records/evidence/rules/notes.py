"""Checkpoints as text: C2SP signed notes (c2sp.org/signed-note) whose body is a tree head (c2sp.org/tlog-checkpoint).

Any witness or monitor that speaks these formats can read our checkpoints and cosign them. Parsing is strict: what is not exactly
in the form is refused, because two readers that disagree about a note would disagree about a proof.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from xinzu.records.evidence.rules.merkle import HASH_BYTES

ED25519 = b"\x01"
KEY_ID_BYTES = 4
PUBLIC_KEY_BYTES = 32
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
SIZE_DIGITS_MAX = 20
_DASH = "— "


class NoteMalformed(ValueError):
    """Not a signed note, not a checkpoint, or not a verifier key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log (origin), how many leaves, and their root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line. Name and key id together say which key made it."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note split into the signed text (with its last newline) and its signatures. Nothing is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 public key under its name, as a verifier is given it."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, 0x01, public key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:KEY_ID_BYTES]


def is_key_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no space of any script, no plus sign, no control character.

    >>> is_key_name("example.com/log"), is_key_name("a b"), is_key_name("a+b"), is_key_name("")
    (True, False, False, False)
    """
    return bool(name) and "+" not in name and not any(char.isspace() or ord(char) < 0x20 for char in name)


def write_vkey(key: VerifierKey) -> str:
    """The key as text: ``name+hex key id+base64(0x01 ‖ public key)``."""
    _require(is_key_name(key.name) and len(key.public_key) == PUBLIC_KEY_BYTES, "this name and key make no verifier key")
    return f"{key.name}+{key.key_id.hex()}+{_to_base64(ED25519 + key.public_key)}"


def parse_vkey(text: str) -> VerifierKey:
    """The key of a verifier key text; raises NoteMalformed when the form, the algorithm or the key id is wrong."""
    parts = text.strip().split("+", 2)
    _require(len(parts) == 3, "a verifier key reads name+key id+base64")
    name, key_id, encoded = parts
    raw = _from_base64(encoded)
    _require(raw[:1] == ED25519 and len(raw) == 1 + PUBLIC_KEY_BYTES, "the verifier key is not an Ed25519 key")
    key = VerifierKey(name, raw[1:])
    _require(is_key_name(name) and key.key_id.hex() == key_id, "the verifier key's id does not belong to its name and key")
    return key


def write_checkpoint(checkpoint: Checkpoint) -> str:
    """The text a log signs: origin, size and base64 root, a line each."""
    _require(is_key_name(checkpoint.origin), "the origin is no key name")
    _require(checkpoint.size >= 0 and len(checkpoint.root) == HASH_BYTES, "a tree head has a size and a root of 32 bytes")
    return f"{checkpoint.origin}\n{checkpoint.size}\n{_to_base64(checkpoint.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The tree head of a note's text. Extension lines are allowed and ignored; they are signed but say nothing to us."""
    lines = text.split("\n")
    _require(len(lines) >= 4 and lines[-1] == "" and all(lines[:-1]), "a checkpoint has at least three lines, none of them empty")
    origin, size, root = lines[:3]
    _require(
        len(size) <= SIZE_DIGITS_MAX and size.isascii() and size.isdigit() and str(int(size)) == size,
        "the second line of a checkpoint is its size",
    )
    raw = _from_base64(root)
    _require(len(raw) == HASH_BYTES, "the third line of a checkpoint is a root of 32 bytes")
    return Checkpoint(origin, int(size), raw)


def write_note(text: str, signatures: Sequence[NoteSignature]) -> str:
    """The signed note: text, blank line, one line per signature."""
    _require(text.endswith("\n") and _is_plain(text), "the text of a note ends in a newline and has no control characters")
    _require(bool(signatures) and all(is_key_name(one.name) for one in signatures), "a note needs a signature under a key name")
    lines = [f"{_DASH}{one.name} {_to_base64(one.key_id + one.signature)}\n" for one in signatures]
    return f"{text}\n{''.join(lines)}"


def parse_note(note: str) -> Note:
    """Split a note at its last blank line; raises NoteMalformed. Verify a signature before believing the text."""
    _require(len(note) <= NOTE_BYTES_MAX and _is_plain(note), "a note has no control characters and less than a million bytes")
    head, blank, tail = note.rpartition("\n\n")
    _require(bool(blank) and tail.endswith("\n"), "a note is a text, a blank line and signature lines")
    lines = tail[:-1].split("\n")
    _require(len(lines) <= SIGNATURES_MAX, f"a note has at most {SIGNATURES_MAX} signatures")
    signatures = []
    for line in lines:
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        _require(line.startswith(_DASH) and bool(space) and is_key_name(name), "a signature line reads: dash, key name, base64")
        raw = _from_base64(encoded)
        _require(len(raw) > KEY_ID_BYTES, "a signature line holds a key id and a signature")
        signatures.append(NoteSignature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:]))
    return Note(head + "\n", tuple(signatures))


def signature_of(note: Note, key: VerifierKey) -> bytes | None:
    """The first signature under a key's name and id, or None; lines of unknown keys do not matter."""
    for one in note.signatures:
        if one.name == key.name and one.key_id == key.key_id:
            return one.signature
    return None


def _is_plain(text: str) -> bool:
    return not any(ord(char) < 0x20 and char != "\n" for char in text)


def _to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _from_base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise NoteMalformed(f"not base64: {text[:60]!r}") from None
    _require(_to_base64(raw) == text, "base64 with stray bits")
    return raw


def _require(condition: bool, why: str) -> None:
    if not condition:
        raise NoteMalformed(why)
