"""All SQL of billing, by noun: accounts, items (instalments and charges), receipts, days."""
