"""Use cases of payments, by noun."""
