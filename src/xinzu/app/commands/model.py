"""``xinzu model``: training models, in the extra ``xinzu[modeling]``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


class DataName(StrEnum):
    """A public data set."""

    GERMAN = "german"
    CREDIT_DATA = "credit_data"
    LENDING_CLUB = "lending_club"


class KindName(StrEnum):
    """What is trained."""

    LIGHTGBM = "lightgbm"
    SCORECARD = "scorecard"


@app.callback()
def group() -> None:
    """Models: train them, and see how well they tell bad from good."""


@app.command()
def train(
    data: Annotated[DataName, typer.Option(help="The public data set.")],
    kind: Annotated[KindName, typer.Option(help="Boosted trees, or a table of points.")],
    out: Annotated[Path, typer.Option(help="The folder that is written to.", file_okay=False)],
) -> None:
    """Train on public data: five folds with AUC, KS, calibration and fairness; model.json is the body of POST /v1/models.

    Exit code 2: the extra or the data's wheel is not installed.
    """
    try:
        from xinzu.app.modeling import report
        from xinzu.app.modeling.data import SETS, DataMissing

        try:
            found = SETS[data]()
        except DataMissing as missing:
            raise _unusable(str(missing)) from missing
        trained = report.train(found, kind.value)
    except ModuleNotFoundError as missing:
        raise _unusable(f"training needs the extra: uv pip install 'xinzu[modeling]' (no module {missing.name})") from missing
    report.write(trained, out)
    typer.echo(report.table(trained.report), nl=False)


def _unusable(sentence: str) -> typer.Exit:
    typer.secho(sentence, err=True, fg=typer.colors.RED)
    return typer.Exit(2)
