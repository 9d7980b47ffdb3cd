"""前台: meets the customer."""
