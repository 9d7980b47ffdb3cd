"""Fixtures of the architecture's probes."""

from tests.world import filled

__all__ = ["filled"]
