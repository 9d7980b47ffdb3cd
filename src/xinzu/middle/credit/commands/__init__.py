"""Use cases of credit."""
