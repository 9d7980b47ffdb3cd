"""Pure rules of agreements: numbers, the contract's content, one-time codes."""
