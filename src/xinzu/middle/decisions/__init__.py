"""Decides on applications: approve, decline or refer, by a published strategy, and by people where the law or the strategy asks for one.

Owns: strategies (JDM graphs, versioned, from draft to retired), models (LightGBM text and scorecards, published by a second person), golden
cases, experiments, decisions with their inputs, outputs and
trace, shadow decisions of challengers, the queue of reviews by people, their levels, clock and appeals, the exposure and credit line of
each
party.
Tables: decisions_strategy, decisions_model, decisions_golden_case, decisions_experiment, decisions_decision, decisions_shadow,
decisions_review,
decisions_referral, decisions_appeal, decisions_reviewer, decisions_review_policy, decisions_credit_line, decisions_exposure,
decisions_backtest,
decisions_column.
Events out: DecisionMade, ReviewEscalated, ReviewAppealed (subject: the application), StrategyRolledBack (subject: the version),
CreditLineChanged (subject: the party).
Events in: ApplicationSubmitted, ApplicationCancelled, HumanReviewRequested (applications); AgreementSigned, AgreementCancelled,
AgreementEnded (agreements); ArrearsAged, ArrearsCleared, AccountWrittenOff (billing); DecisionMade, its own (challengers and
guard rails, after the commit).
Jobs: decisions.keep_queue, decisions.compute_credit_lines, decisions.replay_history. A decision needs no provider: channels vouch for
their risk facts in the event's ``signals`` (see ``rules.indicators``).

A strategy may read only the declared indicators and knows neither clock nor chance, so that any decision can be made again from
its stored inputs with the same result.
"""
