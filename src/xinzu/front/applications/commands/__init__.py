"""Use cases: submitting, deciding, following the agreement, and what the customer may change."""
