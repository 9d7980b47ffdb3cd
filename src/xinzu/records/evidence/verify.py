"""The outside verifier: checks a proof document with nothing but a trusted verifier key. No database, network or server.

``python -m xinzu.records.evidence.verify proof.json --vkey KEY`` exits with 0 when the proof holds, 1 when it does not and
2 when it cannot be read. Uses only the standard library, ``cryptography`` and this module's rules, so that it can travel with
the evidence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from xinzu.records.evidence.rules.notes import (
    Checkpoint,
    NoteMalformed,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    signature_of,
)
from xinzu.records.evidence.rules.proofs import ConsistencyProof, Proof, ProofMalformed, parse_proof


class NotProven(ValueError):
    """The document is well formed and does not prove what it says. The text says which step failed."""


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """The tree head of a note signed by this key; raises NotProven or NoteMalformed."""
    parsed = parse_note(note)
    signature = signature_of(parsed, key)
    if signature is None:
        raise NotProven("检查点没有该密钥的签名 / the checkpoint is not signed by this key")
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, parsed.text.encode())
    except InvalidSignature:
        raise NotProven("检查点签名不成立 / the signature of the checkpoint does not verify") from None
    checkpoint = parse_checkpoint(parsed.text)
    if checkpoint.origin != key.name:
        raise NotProven("检查点属于另一本日志 / the checkpoint is of another log than the key")
    return checkpoint


def check_inclusion(proof: Proof, key: VerifierKey) -> Checkpoint:
    """The verified tree head that includes the proof's leaf; raises NotProven or NoteMalformed."""
    checkpoint = open_checkpoint(proof.checkpoint, key)
    if not proof.proves(checkpoint):
        raise NotProven("事实不在该检查点的树中，或已被改动 / the leaf is not in the tree of the checkpoint, or was altered")
    return checkpoint


def check_consistency(proof: ConsistencyProof, key: VerifierKey, older_note: str | None = None) -> tuple[Checkpoint, Checkpoint]:
    """The two verified tree heads the proof joins; ``older_note`` replaces the older checkpoint of the document."""
    older_note = older_note if older_note is not None else proof.older_checkpoint
    if older_note is None or proof.newer_checkpoint is None:
        raise NotProven("缺少检查点：请提供您保存的旧检查点 / a checkpoint is missing: give the older one you kept")
    older, newer = open_checkpoint(older_note, key), open_checkpoint(proof.newer_checkpoint, key)
    if not proof.proves(older, newer):
        raise NotProven("新检查点不是旧检查点的延续 / the newer checkpoint does not continue the older one")
    return older, newer


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m xinzu.records.evidence.verify", description="Check an evidence proof. 核验存证证明。"
    )
    parser.add_argument("proof", type=Path, help="proof document (JSON) / 证明文件")
    parser.add_argument("--vkey", required=True, help="verifier key: its text, or a file holding it / 验证公钥（文本或文件）")
    parser.add_argument(
        "--older-checkpoint", type=Path, help="the checkpoint you kept, for a consistency proof / 您保存的旧检查点"
    )
    given = parser.parse_args(arguments)
    try:
        vkey_file = Path(given.vkey)
        key = parse_vkey(vkey_file.read_text("utf-8") if vkey_file.is_file() else given.vkey)
        proof = parse_proof(given.proof.read_text("utf-8"))
        older_note = given.older_checkpoint.read_text("utf-8") if given.older_checkpoint else None
        if isinstance(proof, Proof):
            head = check_inclusion(proof, key)
            sys.stdout.write(
                f"OK 核验通过：{head.origin} 第 {proof.position} 条，共 {head.size} 条 / leaf {proof.position} of {head.size}\n"
            )
            sys.stdout.write(f"{proof.body}\n")
        else:
            older, newer = check_consistency(proof, key, older_note)
            sys.stdout.write(
                f"OK 核验通过：{newer.origin} 由 {older.size} 条只增至 {newer.size} 条 / {older.size} grew to {newer.size}\n"
            )
    except NotProven as failure:
        sys.stdout.write(f"FAIL 核验不通过：{failure}\n")
        return 1
    except (NoteMalformed, ProofMalformed, OSError, UnicodeDecodeError) as failure:
        sys.stderr.write(f"ERROR 无法读取 / cannot be read: {failure}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
