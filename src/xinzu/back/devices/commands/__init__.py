"""Use cases of devices: enrolling and binding, ordering levels, hearing what devices say."""
