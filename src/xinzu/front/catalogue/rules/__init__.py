"""Pure rules: what a plan costs a year, and what it may cost."""
