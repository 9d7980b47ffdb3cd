"""Pure rules of decisions: indicators, strategies and their checks, reason codes."""
