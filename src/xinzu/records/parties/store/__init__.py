"""All SQL of parties: people with their consents, and messages."""
