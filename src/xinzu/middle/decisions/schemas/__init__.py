"""Decisions and strategies as they go over HTTP, one file each."""
