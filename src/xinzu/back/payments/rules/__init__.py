"""Pure rules of payments: how much may be collected, what is tried again, out of which payments a refund is made."""
