"""Ways out to couriers."""
