"""Schedules: one function from terms and events to rows, for rentals, finance leases and loans alike.

``terms`` what is agreed · ``periods`` when · ``day_count`` how much of a year · ``accrual`` what bears interest over which segment ·
``amortise`` the rows · ``solve`` for an unknown · ``cost`` what it costs a year. ``docs/manual/schedules.md`` tells the conventions.
"""

from __future__ import annotations
