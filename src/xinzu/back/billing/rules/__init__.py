"""Pure rules of billing: values in, values out; no clock, no session."""
