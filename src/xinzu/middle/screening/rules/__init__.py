"""Pure rules of screening: keys, names, money. No I/O."""
