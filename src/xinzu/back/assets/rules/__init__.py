"""Pure rules of assets: values in, values out; no clock, no session."""
