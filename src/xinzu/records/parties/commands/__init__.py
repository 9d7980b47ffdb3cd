"""Use cases: registering people, consents, messages."""
