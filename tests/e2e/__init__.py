"""Whole installations, started as a user starts them."""
