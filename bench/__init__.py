"""Measurements, each beside a named alternative in the same run. ``make bench`` prints them; nothing here asserts a time."""
