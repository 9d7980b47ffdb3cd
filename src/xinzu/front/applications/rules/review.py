"""Who may ask for a person to decide: an applicant declined by the machine alone (PIPL art. 24, third paragraph)."""

from __future__ import annotations

from xinzu.front.applications.model import Application, ApplicationState, DecidedBy


def may_request_human_review(application: Application) -> bool:
    """Whether the standing decision is an automated decline. What a person declined has had its review."""
    return (
        application.state is ApplicationState.DECLINED
        and application.decision is not None
        and application.decision.decided_by == DecidedBy.STRATEGY
    )
