"""Pure rules of credit: the PBOC report, indicators, what may be inquired for and for how long it may be used."""
