"""All SQL of decisions, by noun: decisions (with reviews and exposures), strategies, experiments (random arm, shadows, guard rails)."""
