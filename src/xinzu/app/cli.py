"""The command line. Each command is thin: it loads the settings and calls the module that does the work, imported only then.

Command groups (``xinzu demo …``) live in ``commands/``, one typer application per file, listed in ``commands.GROUPS``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer
from pydantic import ValidationError

from xinzu import __version__
from xinzu.app.commands import GROUPS
from xinzu.platform.servers.home import CannotStart
from xinzu.platform.settings import Settings, load_settings

app = typer.Typer(
    name="xinzu",
    help="Xinzu 信租: the system a credit-leasing business runs on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def settings_or_exit(**overrides: object) -> Settings:
    """The settings of the environment, with a command's own options on top; a wrong variable ends the program with its name."""
    try:
        settings = load_settings()
        return Settings.model_validate({**settings.model_dump(), **overrides}) if overrides else settings
    except ValidationError as wrong:
        for error in wrong.errors(include_url=False, include_input=False):
            name = "XINZU_" + "_".join(str(part) for part in error["loc"]).upper()
            typer.secho(f"{name}: {error['msg']}", err=True, fg=typer.colors.RED)
        raise typer.Exit(2) from wrong


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="Also run the provider twins.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Show the processes' logs here instead of in $XINZU_HOME/log.")
    ] = False,
) -> None:
    """Run everything on this machine until Ctrl-C: servers, API, worker, gateway (and sandbox)."""
    from xinzu.app.up import run

    settings = settings_or_exit(**({"demo": True} if demo else {}))
    run(
        settings,
        typer.echo,
        lambda address: typer.secho(f"Xinzu is ready: {address}", fg=typer.colors.GREEN, bold=True),
        follow=follow,
    )


@app.command()
def api() -> None:
    """Serve the HTTP API."""
    from xinzu.app.api import run

    run(settings_or_exit())


@app.command()
def worker() -> None:
    """Hand events over, run jobs and the close of business."""
    from xinzu.app.worker import run

    run(settings_or_exit())


@app.command()
def gateway() -> None:
    """Talk to devices: MQTT over NATS, JT/T 808 over TCP."""
    from xinzu.app.gateway import run

    run(settings_or_exit())


@app.command()
def sandbox() -> None:
    """Serve the provider twins (demo and tests)."""
    from xinzu.app.sandbox.server import run

    run(settings_or_exit())


@app.command()
def migrate() -> None:
    """Create roles and database, bring the schema to the newest revision."""
    from xinzu.app.migrate import run

    run(settings_or_exit())


@app.command()
def check() -> None:
    """Tell what would keep this installation from starting."""
    from xinzu.app.check import findings

    well = True
    for finding in findings(settings_or_exit()):
        well &= finding.is_well
        mark, colour = ("ok ", typer.colors.GREEN) if finding.is_well else ("BAD", typer.colors.RED)
        typer.echo(f"{typer.style(mark, fg=colour)} {finding.what:<10} {finding.text}")
    if not well:
        raise typer.Exit(1)


@app.command()
def schedule() -> None:
    """Read one JSON object of terms per line, write one JSON schedule (or error) per line."""
    from xinzu.app.commands.schedule import run

    run(sys.stdin.buffer, sys.stdout.buffer)


@app.command()
def quote(
    terms: Annotated[str, typer.Argument(help="One JSON object of terms, as `xinzu schedule` reads it; - reads standard input.")],
    english: Annotated[bool, typer.Option("--en", help="Headings in English.")] = False,
) -> None:
    """Show a schedule and what it costs a year as a table; refuses what costs more than the law's guard allows."""
    from xinzu.app.commands.schedule import show

    show(sys.stdin.read() if terms == "-" else terms, english=english)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"xinzu {__version__} (Python {sys.version.split()[0]})")


def main() -> None:
    """The entry point of the ``xinzu`` program. A reason not to start is one sentence and exit code 1, not a trace."""
    wanted = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    for group in GROUPS:
        if wanted is None or wanted == group.name:  # a group's imports are paid for by its own commands only
            app.add_typer(import_module(group.module).app, name=group.name, help=group.help)
    try:
        app()
    except CannotStart as reason:
        typer.secho(str(reason), err=True, fg=typer.colors.RED)
        sys.exit(1)


if __name__ == "__main__":
    main()
