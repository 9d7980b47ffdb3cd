"""Ways out to score sources."""
