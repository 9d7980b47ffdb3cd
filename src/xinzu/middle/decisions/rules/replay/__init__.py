"""Replaying strategies on history: our own evaluator of decision graphs over columns, equal to the engine row by row.

``language`` reads expressions; ``columns`` holds values, ``values`` makes them from JSON and back, ``merging`` merges objects; ``comparing``,
``arithmetic``, ``texts``, ``lists``, ``functions`` and ``closures`` compute; ``expressions`` puts these together and ``asking`` asks the engine for
parts without vector form. ``nodes``, ``walk``, ``group`` and ``graph`` are the engine's graph over columns; ``engine`` is the engine a row at a
time; ``batch`` is the way in: ``replay(graph, columns)``.
"""
