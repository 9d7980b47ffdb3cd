"""Servicing: what changes a signed agreement does to its schedule and to what is owed, as pure functions.

Every function takes a ``Position`` (the legs as they stand, the terms in force) and one small event, and returns one frozen value that
says everything; a preview and the commit call the same function. ``position`` and ``change`` the two values · ``accrued`` interest to
a date · ``prepayment`` · ``payoff`` · ``reschedule`` rate, instalments, term, pause, arrears · ``ending`` of rentals · ``default`` and
what the law asks before · ``relief`` waivers, losses, suspended interest. ``docs/manual/servicing.md`` tells each rule with an example.
"""

from __future__ import annotations
