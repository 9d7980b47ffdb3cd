"""All SQL of credit."""
