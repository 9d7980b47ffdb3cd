"""Knows what is to be known of an applicant: the indicators a strategy may read, each with its source, its time and its freshness.

Owns: the definitions of the indicators (``definitions/indicators.json``), a log of facts by whom and what they concern, velocity counters,
the snapshot each decision was made on, the frozen base that drift is measured against; credit reports (the bureau's personal one of the second
generation, an enterprise's), sealed, with every opening; score sources, what they were asked and what they said.
Tables: credit_fact, credit_counter, credit_applicant, credit_snapshot, credit_drift_base, credit_report, credit_report_access,
credit_source, credit_score_query, credit_score_result.
Jobs: credit.query_sources, credit.query_interrupted, credit.erase_expired_reports.
Events out: none.
Events in: ApplicationCancelled (applications); DecisionMade (decisions); AgreementSigned, AgreementCommenced,
AgreementEnded (agreements); InstalmentFellDue, InstalmentBecameOverdue, ArrearsAged, ArrearsCleared, AccountSettled,
AccountWrittenOff (billing); PaymentSucceeded, PaymentFailed (payments); RestrictionApplied (devices); AssetInspected (assets);
CaseOpened (collections); MessageFailed (parties).

A fact has two times: when it occurred and when it became known here. An indicator as of an instant counts what occurred and
was known strictly before it, so that an application never counts itself and any snapshot can be computed again.
"""
