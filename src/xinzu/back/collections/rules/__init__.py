"""Pure rules of collections: the ladder, the limits of contact, and how a tenant's policy may differ."""
