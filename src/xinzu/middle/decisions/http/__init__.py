"""Routes of decisions: the decisions themselves, reviews by people, credit lines, the strategies that make them, and the models those read."""

from __future__ import annotations

from xinzu.middle.decisions.http import backtest, credit_line, decisions, models, reviews, strategies

routes = [*decisions.routes, *credit_line.routes, *reviews.routes, *strategies.routes, *backtest.routes, *models.routes]
