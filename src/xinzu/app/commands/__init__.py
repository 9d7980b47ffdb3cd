"""Command groups of the command line: one file each, with a typer application called ``app``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from sqlalchemy.exc import DBAPIError

from xinzu.kernel.errors import Problem
from xinzu.platform.db import CONNECTION_TROUBLE


@dataclass(frozen=True, slots=True)
class Group:
    """A group of commands, ``xinzu <name> …``, whose module is imported when it is asked for."""

    name: str
    module: str
    help: str


GROUPS: tuple[Group, ...] = (
    Group("tenants", "xinzu.app.commands.tenants", "Tenants, their logins and API keys."),
    Group("events", "xinzu.app.commands.events", "Deliveries of events that were given up."),
    Group("clock", "xinzu.app.commands.clock", "The business clock of a demo."),
    Group("billing", "xinzu.app.commands.billing", "The close of business and the books of a tenant, as tables."),
    Group("ledger", "xinzu.app.commands.ledger", "The books of a tenant as files."),
    Group("strategy", "xinzu.app.commands.strategy", "Strategies: evaluate a decision graph."),
    Group("model", "xinzu.app.commands.model", "Models: train them on public data."),
    Group("demo", "xinzu.app.commands.demo", "The demo: run it, fill it, tell one rental's story."),
)


@contextmanager
def refusals_as_sentences() -> Iterator[None]:
    """A problem, or a database that is not there, is one sentence and exit code 1, not a trace."""
    try:
        yield
    except Problem as problem:
        raise _ended(problem.detail_zh + " / " + problem.detail_en) from problem
    except (*CONNECTION_TROUBLE, DBAPIError) as trouble:
        raise _ended("the database does not answer: is `xinzu up` running, or XINZU_HOME another one?") from trouble


def _ended(sentence: str) -> typer.Exit:
    typer.secho(sentence, err=True, fg=typer.colors.RED)
    return typer.Exit(1)
