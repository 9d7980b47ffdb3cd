"""Training models, in the extra ``xinzu[modeling]``: never imported by what serves, decides or scores.

``data`` public data sets, read from installed wheels · ``scorecards`` and ``boosting`` one fit each · ``report`` five folds, and what is
written. What comes out is the body of ``POST /v1/models``, and is scored in the folds by the very code that scores in production.
"""
