"""Facts flow by events: written with the change, handed over per tenant in batches, at least once, acted upon once.

Tables: platform_event (CloudEvents 1.0 attributes), platform_delivery (one row per event and subscriber: outbox and inbox in one,
deleted in the subscriber's own transaction; ``dead`` after the last attempt).
"""
