"""How a demo's processes reach the sandbox: addresses and keys, made once per home and registered with the twins."""

from __future__ import annotations

from xinzu.app.sandbox.merchants import SignedClient, register
from xinzu.app.sandbox.server import sandbox_folder
from xinzu.platform.servers.home import secret
from xinzu.platform.servers.ports import recorded
from xinzu.platform.settings import Settings

SERVICES = ("sms", "courier", "identity")


def sandbox_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def sandbox_environment(settings: Settings, port: int) -> dict[str, str]:
    """Settings of the provider twins as environment variables; registers their keys with the sandbox."""
    keys = {service: secret(settings.home, f"sandbox_{service}") for service in SERVICES}
    register(sandbox_folder(settings.home), signed=tuple(SignedClient(service, key) for service, key in keys.items()))
    environment = {}
    for service, key in keys.items():
        environment[f"XINZU_{service.upper()}_URL"] = f"{sandbox_url(port)}/{service}"
        environment[f"XINZU_{service.upper()}_KEY"] = f"{service}:{key}"
    return environment


def demo_settings(settings: Settings) -> Settings:
    """The settings as the running demo's own processes have them, for a command in another terminal."""
    port = recorded(settings.home, "sandbox") or settings.sandbox_port
    twins = {name.removeprefix("XINZU_").lower(): value for name, value in sandbox_environment(settings, port).items()}
    return Settings.model_validate({**settings.model_dump(), **twins, "demo": True})
