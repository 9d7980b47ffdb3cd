"""Payment providers: ``base`` says what a channel can do, one file per provider does it."""
