"""Catalogue: what is offered, at which price, and whether the price is lawful.

Owns the tables catalogue_product, catalogue_plan (draft → published → withdrawn), catalogue_quote (frozen terms with an expiry) and
catalogue_pricing_policy (a tenant's stricter cap). Plans are of three families: rental, finance lease, loan. Events: none. Jobs: none.

The guard no tenant can switch off: a plan whose all-in annualised cost is above 24 % can be neither published nor quoted.
"""
