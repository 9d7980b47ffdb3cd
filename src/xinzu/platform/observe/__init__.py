"""Structured logs without personal data, and Prometheus metrics."""
