"""Fixtures of the API under fuzzing."""

from tests.world import filled

__all__ = ["filled"]
