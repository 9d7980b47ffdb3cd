"""``xinzu demo``: run the living demo, fill it, tell one rental's story."""

from __future__ import annotations

from typing import Annotated

import typer

from xinzu.app.commands import refusals_as_sentences
from xinzu.platform.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True)


def _settings() -> Settings:
    return Settings.model_validate({**load_settings().model_dump(), "demo": True})


@app.command()
def run(
    follow: Annotated[
        bool, typer.Option("--follow", help="Show the processes' logs here instead of in $XINZU_HOME/log.")
    ] = False,
) -> None:
    """Start everything with the provider twins, fill the demo when it is empty, and live until Ctrl-C."""
    from xinzu.app import up
    from xinzu.app.demo.shop import OFFERS, PASSWORD, saved_shops

    settings = _settings()

    def ready(address: str) -> None:
        typer.secho(f"\nXinzu is live: {address}", fg=typer.colors.GREEN, bold=True)
        for slug in OFFERS:
            typer.echo(f"  tenant {slug:<8} login owner, risk, warehouse or finance, password {PASSWORD}")
        typer.echo("  another terminal: xinzu demo story · xinzu clock advance 1d · Ctrl-C here stops everything\n")

    up.run(settings, typer.echo, ready, follow=follow, prepare=() if saved_shops(settings.home) else ("demo", "fill"))


@app.command()
def fill(
    customers: Annotated[int, typer.Option(min=1, max=5_000, help="How many customers.")] = 200,
    months: Annotated[int, typer.Option(min=1, max=60, help="Months of business time before today.")] = 18,
) -> None:
    """Fill the demo of this home (servers and sandbox must run, the API must not); does nothing when it is filled."""
    from xinzu.app.demo.fill import run as run_fill
    from xinzu.platform.observe.logs import configure_logs

    settings = Settings.model_validate({**_settings().model_dump(), "log_level": "error"})
    configure_logs(settings, "demo")
    with refusals_as_sentences():
        run_fill(settings, count=customers, months=months)


@app.command()
def story(
    english: Annotated[bool, typer.Option("--en", help="Tell it in English.")] = False,
) -> None:
    """Tell one new rental step by step on the running demo, with the ids to look up."""
    from xinzu.app.demo.access import demo_settings
    from xinzu.app.demo.story import tell

    with refusals_as_sentences():
        tell(demo_settings(load_settings()), english=english)
