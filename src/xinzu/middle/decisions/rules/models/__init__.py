"""Models that score an applicant: how it scores, what is wrong with one, how well it does.

``coding`` values as it reads them · ``scoring`` one score with its reasons · ``checks`` what keeps a model out of the registry ·
``lightgbm_text`` the same for the text of LightGBM · ``metrics`` how well scores tell bad from good · ``fairness`` whom they treat how ·
``monitoring`` all of it over what was decided.
"""
