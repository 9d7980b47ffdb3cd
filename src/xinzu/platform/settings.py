"""Settings of every process, read from the environment (prefix ``XINZU_``).

Nothing is validated at import: a process calls ``load_settings()`` when it starts; ``xinzu check`` shows what is wrong before.
Each field's description is its documentation; the reference page is generated from it. Secrets are ``SecretStr`` so that they
cannot slip into a log line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]

ROOT_HOME = Path("/var/lib/xinzu")


def default_home() -> Path:
    """The folder all state lives in when ``XINZU_HOME`` is not set.

    The user's data folder, except for root on POSIX: the embedded servers then run under an unprivileged account, which cannot
    pass through ``/root`` (mode 0700), so root's state lives in ``/var/lib/xinzu``.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "xinzu"
    if os.geteuid() == 0:
        return ROOT_HOME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "xinzu"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "xinzu"


class Settings(BaseSettings):
    """Every setting with its default. A variable that is set to the empty string counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="XINZU_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(
        default_factory=default_home,
        description=(
            "Folder that holds all state: embedded servers, keys, generated passwords, logs. Moving it moves the system."
        ),
    )
    demo: bool = Field(
        default=False, description="Also run the provider twins (sandbox) and allow the business clock to be moved."
    )

    # servers
    database_url: SecretStr | None = Field(
        default=None,
        description=(
            "External PostgreSQL 18 as postgresql://user:password@host:port/postgres, with an account that "
            "may create roles and databases. "
            "Unset: the embedded server is used."
        ),
    )
    database_name: str = Field(
        default="xinzu", pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Name of the database that holds everything."
    )
    nats_url: SecretStr | None = Field(
        default=None,
        description=("External NATS as nats://user:password@host:port, JetStream on. Unset: the embedded server is used."),
    )
    postgres_port: Port = Field(
        default=8720,
        description=(
            "Loopback port of the embedded PostgreSQL. 0 or busy: the next free port; the chosen one stands "
            "in $XINZU_HOME/postgres.port."
        ),
    )
    postgres_shared_buffers_mb: int = Field(
        default=128, ge=16, le=65536, description="shared_buffers of the embedded PostgreSQL, in MB."
    )
    postgres_connections_max: int = Field(
        default=120, ge=20, le=5000, description=("max_connections of the embedded PostgreSQL.")
    )
    nats_port: Port = Field(
        default=8730, description="Loopback port of the embedded NATS for clients. 0 or busy: the next free port."
    )
    mqtt_host: str = Field(
        default="127.0.0.1",
        description=("Address the embedded NATS listens on for MQTT devices. Put TLS in front before opening it to a network."),
    )
    mqtt_port: Port = Field(
        default=8731, description="Port of the embedded NATS for MQTT devices. 0 or busy: the next free port."
    )
    nats_monitor_port: Port = Field(
        default=8732, description="Loopback port of the embedded NATS for /healthz. 0 or busy: the next free port."
    )
    server_account: str = Field(
        default="nobody",
        description=(
            "Operating-system account that runs the embedded servers when Xinzu is started as root "
            "(PostgreSQL refuses to run as root)."
        ),
    )

    # HTTP
    http_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    http_port: Port = Field(
        default=8700,
        description=(
            "Port the API listens on. 0 or busy: `xinzu up` takes the next free one and writes it to $XINZU_HOME/api.port."
        ),
    )
    public_base_url: str | None = Field(
        default=None,
        description=(
            "Address under which providers reach this system, used in callback (notify) urls. Unset: "
            "http://<http_host>:<chosen port>."
        ),
    )
    api_workers: int = Field(default=1, ge=1, le=64, description="Number of API worker processes.")
    request_bytes_max: int = Field(
        default=1_048_576, ge=1024, description=("Largest accepted request body in bytes; a larger one is answered 413.")
    )
    rate_limit_per_key_per_s: int = Field(
        default=5_000,
        ge=1,
        description=("Requests per second one API key or operator session may send before it is answered 429."),
    )
    rate_limit_per_address_per_s: int = Field(
        default=50,
        ge=1,
        description=(
            "Requests per second one address may send without a credential (log-in, public pages) before it is answered 429."
        ),
    )
    log_in_tries_per_address_per_s: int = Field(
        default=5,
        ge=1,
        description="Log-ins per second one address may try before it is answered 429: guessing passwords stays slow.",
    )
    worker_health_port: Port = Field(default=8701, description="Port of the worker's /livez, /readyz and /metrics.")
    gateway_health_port: Port = Field(default=8702, description="Port of the gateway's /livez, /readyz and /metrics.")
    jt808_host: str = Field(default="127.0.0.1", description=("Address the gateway listens on for JT/T 808 terminals (TCP)."))
    jt808_port: Port = Field(default=8740, description="Port the gateway listens on for JT/T 808 terminals (TCP).")
    sandbox_port: Port = Field(default=8710, description="Port of the provider twins in demo mode.")

    # group commit
    batch_window_ms: int = Field(
        default=3, ge=0, le=1000, description=("How long the first request of a batch waits for neighbours, in milliseconds.")
    )
    batch_items_max: int = Field(default=512, ge=1, le=10_000, description="Most items committed in one transaction.")
    batch_queue_max: int = Field(
        default=8_192,
        ge=1,
        description="Items that may wait per tenant and command; beyond it the answer is 503 with Retry-After.",
    )

    # providers
    sms_url: SecretStr | None = Field(
        default=None,
        description="Address of the SMS gateway under the signed HTTP contract. Unset: messages stay queued and are not sent.",
    )
    sms_key: SecretStr | None = Field(
        default=None, description="Key of the SMS gateway as <key id>:<shared secret>; signs calls and checks its callbacks."
    )
    courier_url: SecretStr | None = Field(
        default=None,
        description="Address of the courier under the signed HTTP contract. Unset: assets are handed over at the counter only.",
    )
    courier_key: SecretStr | None = Field(
        default=None, description="Key of the courier as <key id>:<shared secret>; signs calls and checks its callbacks."
    )
    identity_url: SecretStr | None = Field(
        default=None,
        description=(
            "Address of the identity register under the signed HTTP contract. "
            "Unset: signers are not verified and contract documents wait."
        ),
    )
    identity_key: SecretStr | None = Field(
        default=None, description="Key of the identity register as <key id>:<shared secret>; signs calls and checks its answers."
    )

    # agreements
    arbitration_commission: str | None = Field(
        default=None,
        max_length=60,
        description="Arbitration commission named in contracts (Arbitration Law art. 16). Unset: disputes go to the people's court.",
    )

    # observe
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["json", "console"] = Field(default="json", description=("json for machines, console for people."))

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()


def load_settings() -> Settings:
    """The settings as the environment gives them now. Raises pydantic's ``ValidationError`` naming the variable."""
    return Settings()


def base_url(settings: Settings, port: int | None = None) -> str:
    """The address providers and people use: ``public_base_url``, else the loopback address and the chosen port."""
    if settings.public_base_url:
        return settings.public_base_url.rstrip("/")
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host  # noqa: S104 (compared, not bound)
    return f"http://{host}:{port if port is not None else settings.http_port}"
