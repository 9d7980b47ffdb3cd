"""Who listens to what. ``@on(EventType)`` declares a handler; ``app.modules`` imports them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from xinzu.kernel.events import Event

if TYPE_CHECKING:
    from xinzu.platform.uow import UnitOfWork

E = TypeVar("E", bound=Event)
Handler = Callable[["UnitOfWork", Sequence[E]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One handler of one event type. ``name`` is stable: it keys the deliveries in the database."""

    name: str
    event_type: str
    handler: Callable[[UnitOfWork, Sequence[Any]], Awaitable[None]]


_BY_TYPE: dict[str, list[Subscriber]] = defaultdict(list)
_BY_NAME: dict[str, Subscriber] = {}


def on(event_cls: type[E]) -> Callable[[Handler[E]], Handler[E]]:
    """Declare that a function of a ``handlers.py`` hears an event. It receives batches of one tenant inside a unit of work.

    The function's module and name make the subscriber's name, e.g. ``billing.on_agreements_commenced``.
    """

    def register(handler: Handler[E]) -> Handler[E]:
        module = handler.__module__.split(".")[-2]
        subscriber = Subscriber(f"{module}.{handler.__name__}", event_cls.type, handler)
        if subscriber.name in _BY_NAME:
            raise ValueError(f"two handlers are called {subscriber.name}")
        _BY_NAME[subscriber.name] = subscriber
        _BY_TYPE[event_cls.type].append(subscriber)
        return handler

    return register


def subscribers_of(event_type: str) -> Sequence[Subscriber]:
    return _BY_TYPE.get(event_type, ())


def subscriber(name: str) -> Subscriber | None:
    return _BY_NAME.get(name)
