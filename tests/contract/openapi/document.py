"""The OpenAPI document as the code declares it, without a running server."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import Any

from xinzu.app.modules import routes
from xinzu.platform.http.app import create_app
from xinzu.platform.runtime import Runtime
from xinzu.platform.settings import Settings


def _never() -> AbstractAsyncContextManager[Runtime]:
    raise AssertionError("this application is only described, never started")


@cache
def openapi_document() -> dict[str, Any]:
    settings = Settings(home=Path("/nowhere"), database_url=None)
    return create_app(settings, routes(), _never).openapi_schema.to_schema()


def operation_ids() -> list[str]:
    return [operation["operationId"] for item in openapi_document()["paths"].values() for operation in item.values()]
