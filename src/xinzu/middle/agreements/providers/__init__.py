"""Ways out to identity registers."""
