"""What is counted. Labels hold names from the code (commands, subscribers, jobs), never tenants' or persons' values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

COMMAND_ITEMS = Counter("xinzu_command_items_total", "Items run through commands", ["command", "outcome"])
COMMAND_BATCH = Histogram(
    "xinzu_command_batch_items", "Items per committed batch", ["command"], buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
)
COMMAND_SECONDS = Histogram(
    "xinzu_command_seconds",
    "Seconds from the start of a batch's transaction to its commit",
    ["command"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
WAITING = Gauge("xinzu_batcher_waiting_items", "Requests waiting for their batch")
DELIVERIES = Counter("xinzu_event_deliveries_total", "Event deliveries", ["subscriber", "outcome"])
