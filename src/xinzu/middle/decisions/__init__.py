"""Decides on applications: approve, decline or refer, by a published strategy, and by people where the law or the strategy asks for one.

Owns: strategies (JDM graphs, versioned), decisions with their inputs, outputs and trace, reviews by people, the exposure of each party.
Tables: decisions_strategy, decisions_decision, decisions_review, decisions_exposure.
Events out: DecisionMade (subject: the application).
Events in: ApplicationSubmitted, ApplicationCancelled, HumanReviewRequested (applications); AgreementSigned, AgreementCancelled,
AgreementEnded (agreements); ArrearsAged, ArrearsCleared (billing).
Jobs: none. A decision needs no provider: channels vouch for their risk facts in the event's ``signals`` (see ``rules.indicators``).

A strategy may read only the declared indicators and knows neither clock nor chance, so that any decision can be made again from
its stored inputs with the same result.
"""
