"""What screening says. None of it names a person: that somebody is suspected is told to nobody (反洗钱法 art. 7)."""

from __future__ import annotations

from dataclasses import dataclass

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import BusinessDate


@event("xinzu.screening.list_entry.added.v1")
@dataclass(frozen=True, kw_only=True)
class ListEntryAdded(Event):
    """Something is on the grey or black list. Subject: the entry."""

    colour: str
    kind: str
    reason: str
    source: str
    expires_on: BusinessDate | None


@event("xinzu.screening.list_entry.removed.v1")
@dataclass(frozen=True, kw_only=True)
class ListEntryRemoved(Event):
    """Something was taken off a list by two people. Subject: the entry."""

    colour: str
    kind: str
    reason: str


@event("xinzu.screening.alert.raised.v1")
@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """Somebody must look. Subject: the alert. ``report_due_on`` where a report is due whatever is found."""

    report_due_on: BusinessDate | None


@event("xinzu.screening.alert.decided.v1")
@dataclass(frozen=True, kw_only=True)
class AlertDecided(Event):
    """A person has decided an alert: reported or dismissed. Subject: the alert."""

    state: str
