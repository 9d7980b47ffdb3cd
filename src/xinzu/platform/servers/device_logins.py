"""Device log-ins over MQTT: who a device is, and the only two topics it may touch.

A device logs in as ``<tenant>/<device>``, which is also its client id (or it could throw another device out), with its own
password. It may then publish ``d/<tenant>/<device>/up`` and below, and subscribe ``d/<tenant>/<device>/cmd`` and below; nothing
else. NATS asks us at each log-in (authorisation callout) and holds the device to the answer. The gateway answers; gateways
share the questions. Messages are signed end to end on top of this.
"""

from __future__ import annotations

import base64
import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from xinzu.kernel.time import Clock
from xinzu.platform.servers.home import secret
from xinzu.platform.servers.nkeys import BadToken, Key, account_key, sign, verify

Admit = Callable[[str, str, str], Awaitable[bool]]
"""Tenant, device and password as they were given → whether the device may come in now."""

_SUBJECT = "$SYS.REQ.USER.AUTH"
_ACCOUNT = "$G"  # the server's only account
_NAME = re.compile(r"([A-Za-z0-9_-]{1,64})/([A-Za-z0-9_-]{1,64})")
_ECHO_TIMEOUT_S = 10
_log = logging.getLogger(__name__)


def device_password(home: Path, tenant: str, device: str) -> str:
    """The password of a device: HMAC-SHA-256 under a secret of this home, so that it is stored on the device only."""
    digest = hmac.digest(secret(home, "device_logins").encode("ascii"), f"{tenant}/{device}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def admit_by_password(home: Path) -> Admit:
    """Lets every device in that knows its derived password. Combine it with a look-up where devices can be revoked."""

    async def admit(tenant: str, device: str, password: str) -> bool:
        return hmac.compare_digest(device_password(home, tenant, device).encode(), password.encode())

    return admit


async def answer_device_logins(connection: Client, home: Path, admit: Admit, clock: Clock) -> Subscription:
    """Answer the server's log-in questions on this connection (the platform user's) until the subscription is drained.

    When this returns the server has heard of it and asks us.
    """
    key = account_key(home)

    async def on_question(message: Msg) -> None:
        try:
            answer = await _answer(key, message.data.decode("ascii"), admit, int(clock.now().timestamp()))
        except (BadToken, UnicodeDecodeError, KeyError, TypeError):
            _log.warning("a log-in question from NATS could not be read")
            return  # silence is a refusal
        await message.respond(answer.encode("ascii"))

    subscription = await connection.subscribe(_SUBJECT, queue="xinzu-gateway", cb=on_question)
    await until_heard(connection)
    return subscription


async def until_heard(connection: Client) -> None:
    """Wait until the server has done all that this connection asked of it so far.

    Not ``flush``: its ping is written at once and overtakes what still waits in the client's buffer.
    """
    echo = await connection.subscribe(connection.new_inbox(), max_msgs=1)
    await connection.publish(echo.subject)
    await echo.next_msg(_ECHO_TIMEOUT_S)


async def _answer(key: Key, question: str, admit: Admit, now_s: int) -> str:
    claims = verify(question)
    asked: dict[str, Any] = claims["nats"]
    given: dict[str, Any] = asked["connect_opts"]
    named = _NAME.fullmatch(str(given.get("user", "")))
    permit: dict[str, str] = {"error": "refused"}
    if (
        named is not None
        and asked["client_info"].get("type") == "mqtt"
        and asked["client_info"].get("mqtt_id") == named[0]
        and await admit(named[1], named[2], str(given.get("pass", "")))
    ):
        permit = {"jwt": _user_token(key, asked["user_nkey"], named[1], named[2], now_s)}
    response = {
        "sub": asked["user_nkey"],
        "aud": asked["server_id"]["id"],
        "nats": {**permit, "type": "authorization_response", "version": 2},
    }
    return sign(key, response, now_s)


def _user_token(key: Key, user: str, tenant: str, device: str, now_s: int) -> str:
    up, commands = f"d.{tenant}.{device}.up", f"d.{tenant}.{device}.cmd"
    return sign(
        key,
        {
            "sub": user,
            "aud": _ACCOUNT,
            "name": f"{tenant}/{device}",
            "nats": {
                "pub": {"allow": [up, f"{up}.>"]},
                "sub": {"allow": [commands, f"{commands}.>"]},
                "subs": 8,
                "data": -1,
                "payload": 64 * 1024,
                "allowed_connection_types": ["MQTT"],
                "type": "user",
                "version": 2,
            },
        },
        now_s,
    )
