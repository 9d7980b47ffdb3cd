"""Assembles an ASGI application from modules' routes. Used by ``app.api``; the sandbox has its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Schema, SecurityScheme
from litestar.plugins import OpenAPISchemaPlugin
from litestar.types import ControllerRouterHandler
from litestar.typing import FieldDefinition

from xinzu import __version__
from xinzu.platform.commands import Batcher
from xinzu.platform.http.approvals import approval_routes
from xinzu.platform.http.auth import SESSION_COOKIE, Authentication
from xinzu.platform.http.body import StrictRequest, refuse_nul_in_address
from xinzu.platform.http.events import event_routes
from xinzu.platform.http.health import health_routes
from xinzu.platform.http.problems import EXCEPTION_HANDLERS, PROBLEM_RESPONSES
from xinzu.platform.http.sessions import session_routes
from xinzu.platform.runtime import Runtime
from xinzu.platform.settings import Settings

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator


def create_app(
    settings: Settings,
    routes: Sequence[ControllerRouterHandler],
    open_runtime: Callable[[], AbstractAsyncContextManager[Runtime]],
) -> Litestar:
    """The API over the runtime that ``open_runtime`` yields for as long as the application lives."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with open_runtime() as runtime, attached(app, runtime):
            yield

    handlers = [*health_routes, *session_routes, *event_routes, *approval_routes, *routes]
    for handler in handlers:
        if isinstance(handler, HTTPRouteHandler):
            handler.responses = {**PROBLEM_RESPONSES, **(handler.responses or {})}
    return Litestar(
        route_handlers=handlers,
        request_class=StrictRequest,
        before_request=refuse_nul_in_address,
        middleware=[Authentication],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=settings.request_bytes_max,
        lifespan=[lifespan],
        openapi_config=openapi_config(),
        plugins=[ClosedBodies()],
        debug=False,
    )


@asynccontextmanager
async def attached(app: Litestar, runtime: Runtime) -> AsyncIterator[None]:
    """Give the application its runtime and its batcher; on the way out, wait for the batches under way."""
    app.state.runtime = runtime
    app.state.batcher = Batcher(runtime)
    yield
    await app.state.batcher.close()


class ClosedBodies(OpenAPISchemaPlugin):
    """Says in the document what the decoder does: a body with an unknown field is refused."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        if field_definition.is_union or not field_definition.is_subclass_of(msgspec.Struct):
            return False
        return bool(field_definition.annotation.__struct_config__.forbid_unknown_fields)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        usual = next(
            plugin
            for plugin in schema_creator.plugins
            if plugin is not self
            and isinstance(plugin, OpenAPISchemaPlugin)
            and plugin.is_plugin_supported_field(field_definition)
        )
        schema = usual.to_openapi_schema(field_definition, schema_creator)
        schema.additional_properties = False
        return schema


def openapi_config(**extra: Any) -> OpenAPIConfig:  # noqa: ANN401
    return OpenAPIConfig(
        title="Xinzu 信租",
        version=__version__,
        description="Credit leasing: applications, decisions, agreements, billing, payments, assets, devices, collections, proof.",
        path="/schema",
        components=Components(
            security_schemes={
                "api_key": SecurityScheme(type="http", scheme="bearer", description="API key of a channel's server (xzk_…)"),
                "session": SecurityScheme(
                    type="apiKey", security_scheme_in="cookie", name=SESSION_COOKIE, description="An operator's session"
                ),
            }
        ),
        security=[{"api_key": []}, {"session": []}],
        **extra,
    )
