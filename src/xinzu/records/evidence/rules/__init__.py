"""What the log promises, as functions of values: tree, tiles, notes, canonical leaves, proof documents. Hashing only, no I/O."""
