"""The engine itself, a row at a time: the reference the replay equals, and what decides the rows it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import zen

from xinzu.middle.decisions.rules.replay.columns import Json

_KEY = "graph"
ERROR_CHARS_MAX = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """One row's result, or why there is none: the failing node and the engine's sentence, without its stack."""

    result: Any = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """``{"result": …}`` or ``{"error": "…"}``."""
        return {"result": self.result} if self.error is None else {"error": self.error}


class Engine:
    """A graph loaded into the engine once, with the caller's handler of custom nodes. Raises GraphRefused when it cannot be read."""

    def __init__(self, graph: Mapping[str, Any], custom_nodes: Callable[..., Any] | None = None) -> None:
        try:
            loader: zen.StaticLoaderConfig = {"type": "static", "content": {_KEY: dict(graph)}}
            self._engine = zen.ZenEngine(
                {"loader": loader, "customHandler": custom_nodes} if custom_nodes else {"loader": loader}
            )
        except Exception as wrong:
            raise GraphRefused(first_line(wrong)) from wrong

    def answer(self, row: Json) -> Answer:
        """The engine's answer to one input."""
        try:
            given = msgspec.json.encode(row) if isinstance(row, str) else row  # the binding takes a text for JSON
            return Answer(self._engine.evaluate(_KEY, given)["result"])
        except Exception as wrong:  # noqa: BLE001 (RuntimeError for a node, bare Exception for an input it cannot hold)
            return Answer(error=error_text(wrong))

    def answers(self, rows: Iterable[Any]) -> list[Answer]:
        """The engine's answers in order."""
        return [self.answer(row) for row in rows]


class GraphRefused(ValueError):
    """The engine cannot read the graph."""


def first_line(error: BaseException) -> str:
    """An error's first line, cut to a length that is read."""
    return (str(error).splitlines() or [type(error).__name__])[0][:ERROR_CHARS_MAX]


def error_text(error: BaseException) -> str:
    """``node <id>: <what>`` from the engine's error, which is JSON followed by a stack."""
    line = (str(error).splitlines() or [""])[0]
    try:
        told = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return line[:ERROR_CHARS_MAX] or type(error).__name__
    if not isinstance(told, dict):
        return line[:ERROR_CHARS_MAX]
    source = told.get("source")
    what = (
        source
        if isinstance(source, str)
        else msgspec.json.encode(source).decode()
        if source is not None
        else str(told.get("type"))
    )
    return (f"node {told['nodeId']}: {what}" if "nodeId" in told else what)[:ERROR_CHARS_MAX]
