"""What the registry knows of a model: the card that is registered with its artefact.

An artefact is text: LightGBM's own model text, or the JSON of a strategy's scorecard node (``rules.nodes.Scorecard``). There is nothing
to unpickle, so that reading a model cannot run what somebody wrote into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import exp
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from xinzu.kernel.time import Instant
from xinzu.middle.decisions.model import ModelState

Kind: TypeAlias = Literal["lightgbm", "scorecard"]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$(?!\n)", max_length=100)]
Code = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]*$(?!\n)", max_length=40)]
ARTEFACT_BYTES_MAX = 800_000  # a request has at most 1 MiB, and 300 trees of four leaves take 200 kB
FEATURES_MAX, VALUES_MAX, PARTS_MAX = 500, 500, 600

Share = Annotated[float, Meta(ge=0, le=1)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Line = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input of a model, in its place. It bears the name of an indicator.

    ``values`` of a category are coded by their place, and what is not among them counts as missing. ``monotone`` 1: a higher value never
    lowers the risk; -1: never raises it. ``code`` is the reason a customer is given for it; features of one family share a code.
    """

    name: Name
    kind: Literal["number", "category", "flag"]
    code: Code
    values: Annotated[tuple[Line, ...], Meta(max_length=VALUES_MAX)] = ()
    monotone: Literal[-1, 0, 1] = 0


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On what a model was trained. ``outcome`` says in words what counted as bad, and over which time; dates are those of the applications,
    and are missing where the source does not tell them."""

    source: Line
    outcome: Line
    rows: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    bad_rows: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    from_on: date | None = None
    to_on: date | None = None


class Parts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution frozen at training. ``edges`` are the upper bounds of all parts of numbers but the last; named parts have none."""

    shares: Annotated[dict[Annotated[str, Meta(max_length=200)], Share], Meta(min_length=1, max_length=PARTS_MAX)]
    edges: Annotated[tuple[Number, ...], Meta(max_length=PARTS_MAX)] | None = None


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The distributions of the score and of each feature in the training data: what drift is measured against."""

    score: Parts
    features: Annotated[dict[Name, Parts], Meta(max_length=FEATURES_MAX)]


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From what a model says to a probability: 1 / (1 + exp(-(intercept + slope · raw))) (Platt, 1999).

    ``raw`` is the log odds of bad of LightGBM, and the points of a scorecard, whose slope is below nought.

    >>> round(Calibration(intercept=-0.5, slope=1.0).probability(0.5), 3)
    0.5
    """

    intercept: Number
    slope: Number

    def log_odds(self, raw: float) -> float:
        return max(-30.0, min(30.0, self.intercept + self.slope * raw))

    def probability(self, raw: float) -> float:
        return 1 / (1 + exp(-self.log_odds(raw)))


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model as it is registered. ``metrics`` are figures of the training's cross-validation by name (auc, auc_sd, ks …)."""

    key: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$(?!\n)")]
    kind: Kind
    features: Annotated[tuple[Feature, ...], Meta(min_length=1, max_length=FEATURES_MAX)]
    training: Training
    metrics: Annotated[dict[Annotated[str, Meta(min_length=1, max_length=60)], Number], Meta(max_length=100)]
    baseline: Baseline
    calibration: Calibration
    note: Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$(?!\n)")] = ""


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A version of a model in its life. Whoever registered it cannot publish it."""

    id: UUID
    version: int
    state: ModelState
    artefact_sha256: str
    card: Card
    registered_by: str
    registered_at: Instant
    published_by: str | None
    published_at: Instant | None
    retired_by: str | None
    retired_at: Instant | None
