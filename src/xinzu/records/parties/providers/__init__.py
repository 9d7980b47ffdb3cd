"""Ways out to carriers."""
