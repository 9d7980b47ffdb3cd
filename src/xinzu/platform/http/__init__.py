"""The HTTP edge: authentication, limits, the door to commands and queries, problems, health.

A module's ``http.py`` holds Litestar handlers and a ``routes`` list; they ask ``door.run`` for commands and ``door.reading`` for queries.
"""
