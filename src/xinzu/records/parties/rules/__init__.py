"""Pure rules: what messages say and when they may be sent."""
