"""Composition: the API, the worker, the gateway, the command line, the supervisor, the demo and its sandbox."""
