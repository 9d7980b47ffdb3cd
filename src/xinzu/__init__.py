"""Xinzu 信租: the open-source system a Chinese credit-leasing business runs on.

Offices, from the street inwards: ``app`` (composition), ``front`` (meets the customer), ``middle`` (decides and agrees),
``back`` (carries out), ``records`` (who, how much, proof), ``platform`` (I/O machinery), ``kernel`` (pure types).
Imports point down; facts go up and sideways as events. ``docs/architecture.md`` is the map.
"""

__version__ = "0.1.0"
