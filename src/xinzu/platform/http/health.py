"""/livez (the process answers), /readyz (it can serve), /metrics (Prometheus)."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import MediaType, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from xinzu.kernel.errors import Unavailable
from xinzu.platform.db import DATABASE_TROUBLE
from xinzu.platform.http.door import HttpRequest, runtime_of


class Health(msgspec.Struct):
    """What was checked and how it stands."""

    status: str
    database: str
    waiting_items: int


@get("/livez", tags=["health"], security=[{}], media_type=MediaType.TEXT, operation_id="livez")
async def livez() -> str:
    return "ok"


@get("/readyz", tags=["health"], security=[{}], operation_id="readyz")
async def readyz(request: HttpRequest) -> Health:
    """Whether the database answers and has the schema; 503 otherwise."""
    try:
        async with runtime_of(request).database.engine.connect() as connection:
            await connection.execute(text("SELECT 1 FROM platform_tenant LIMIT 1"))
    except DATABASE_TROUBLE as error:
        raise Unavailable("数据库未就绪", "The database is not ready", retry_after_s=1) from error
    return Health("ready", "ok", request.app.state.batcher.depth)


@get("/metrics", tags=["health"], security=[{}], media_type=MediaType.TEXT, operation_id="metrics")
async def metrics() -> Response[Any]:
    return Response(content=generate_latest(), media_type=CONTENT_TYPE_LATEST)


health_routes = [livez, readyz, metrics]
