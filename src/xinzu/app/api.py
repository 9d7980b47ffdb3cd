"""The API process: granian workers over the assembled ASGI application."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings
from litestar import Litestar

from xinzu.app.modules import routes
from xinzu.app.overview.http import routes as overview_routes
from xinzu.app.process import open_runtime
from xinzu.platform.http.app import create_app
from xinzu.platform.observe.logs import configure_logs
from xinzu.platform.servers.ports import recorded
from xinzu.platform.settings import Settings, load_settings


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. The port is the one ``xinzu up`` recorded for this home, else the configured one."""
    configure_logs(settings, "api")
    Granian(
        "xinzu.app.api:create",
        factory=True,
        address=settings.http_host,
        port=recorded(settings.home, "api") or settings.http_port,
        interface=Interfaces.ASGI,
        workers=settings.api_workers,
        loop=Loops.uvloop,
        log_enabled=False,
        log_access=False,
        http1_settings=HTTP1Settings(max_buffer_size=64 * 1024),
        respawn_failed_workers=True,
    ).serve()


def create() -> Litestar:
    """The application of one worker process; it opens its runtime when the server starts it."""
    settings = load_settings()
    configure_logs(settings, "api")
    return create_app(settings, [*routes(), *overview_routes], lambda: open_runtime(settings))
