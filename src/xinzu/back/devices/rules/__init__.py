"""Pure rules of devices: when a device may be restricted, and what a command and a report say."""
