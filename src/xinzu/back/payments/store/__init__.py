"""All SQL of payments, by noun. Statements run over arrays: one per step, whatever the number of rows."""
