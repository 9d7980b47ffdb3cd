"""后台: carries out what was agreed. The modules talk to each other by events only."""
