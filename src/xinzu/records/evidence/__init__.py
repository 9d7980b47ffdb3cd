"""Evidence 存证: an append-only log per tenant whose every line can be proven to a stranger.

Owns the tables evidence_log (head and frontier), evidence_leaf (the facts, canonical JSON without personal data), evidence_tile
(full tiles of 256 hashes), evidence_checkpoint (signed tree heads) and evidence_signer (the log's sealed Ed25519 key).
Events: none in, none out. Jobs: evidence.sign_checkpoint.

Leaves are appended with the change they tell of, in its transaction; the log's head is locked only at its very end.
"""
