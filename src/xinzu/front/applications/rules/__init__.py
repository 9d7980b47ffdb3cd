"""Pure rules: which consents an application needs, and when its delivery address may change."""
