"""Which errors mean that the database went away, so that a caller is told to come back rather than that we are broken."""

from __future__ import annotations

import asyncpg
import pytest
from asyncpg.exceptions import InterfaceError

from xinzu.platform.db import CONNECTION_TROUBLE, DATABASE_TROUBLE, is_connection_loss


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        FileNotFoundError(),  # the socket of a server that is being started again
        asyncpg.ConnectionDoesNotExistError(),
        InterfaceError("connection is closed"),
        asyncpg.AdminShutdownError(),
        asyncpg.CrashShutdownError(),
        asyncpg.CannotConnectNowError(),
    ],
)
def test_a_server_that_is_away_is_recognised(error: Exception) -> None:
    assert is_connection_loss(error)
    assert isinstance(error, CONNECTION_TROUBLE)
    assert isinstance(error, DATABASE_TROUBLE)


@pytest.mark.parametrize("error", [asyncpg.UniqueViolationError(), asyncpg.QueryCanceledError(), asyncpg.InvalidPasswordError()])
def test_a_server_that_refuses_is_not_away(error: Exception) -> None:
    assert not is_connection_loss(error)
