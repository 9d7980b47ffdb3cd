"""SQL of screening. Every statement works on arrays."""
