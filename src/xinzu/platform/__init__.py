"""I/O machinery every module stands on: database, unit of work, events, jobs, HTTP, tenancy, crypto, servers, settings."""
