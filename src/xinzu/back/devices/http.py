"""Routes of devices: enrolling, looking, ordering, holding."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from xinzu.back.devices import api, schemas
from xinzu.kernel.ids import Prefix, public_id
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import HttpRequest, IdempotencyKey, id_at, id_from, reading, requires, run, runtime_of, tenant_of
from xinzu.platform.servers.device_logins import device_password

READER = [requires(Permission.DEVICE_READ)]
WRITER = [requires(Permission.DEVICE_WRITE)]


@post("/v1/devices", tags=["devices"], operation_id="enrol_device", guards=WRITER, status_code=201)
async def enrol_device(
    request: HttpRequest, data: JSONBody[schemas.Enrolment], idempotency_key: IdempotencyKey = None
) -> Response[schemas.EnrolmentView]:
    """Put a terminal on file. Problems: devices.device_enrolled, devices.key_taken."""
    draft = api.DeviceDraft(
        asset_id=id_at(Prefix.ASSET, data.asset_id, "/asset_id"), public_key=bytes.fromhex(data.public_key), kind=data.kind
    )
    return await run(request, api.enrol_devices, draft, key=idempotency_key, status=201, location="/v1/devices/{id}")


@get("/v1/devices/{device_id:str}", tags=["devices"], operation_id="get_device", guards=READER)
async def get_device(request: HttpRequest, device_id: FromPath[str]) -> schemas.DeviceView:
    """What a terminal should be, what it says it is, and its newest commands."""
    async with reading(request) as read:
        device = await api.device_of(read, id_from(Prefix.DEVICE, device_id))
        holds = [] if device.agreement_id is None else await api.holds_of(read, device.agreement_id)
        return schemas.device_view(device, await api.commands_of(read, device.id), holds)


@get("/v1/devices/{device_id:str}/login", tags=["devices"], operation_id="get_device_login", guards=WRITER)
async def get_login(request: HttpRequest, device_id: FromPath[str]) -> schemas.LoginView:
    """How the terminal logs in over MQTT; derived from this installation's secret and stored nowhere."""
    async with reading(request) as read:
        device = await api.device_of(read, id_from(Prefix.DEVICE, device_id))
    tenant, name = str(tenant_of(request)), public_id(Prefix.DEVICE, device.id)
    return schemas.LoginView(
        client_id=f"{tenant}/{name}",
        username=f"{tenant}/{name}",
        password=device_password(runtime_of(request).settings.home, tenant, name),
        command_topic=f"d/{tenant}/{name}/cmd",
        report_topic=f"d/{tenant}/{name}/up",
    )


@post("/v1/devices/{device_id:str}/levels", tags=["devices"], operation_id="order_level", guards=WRITER, status_code=202)
async def order_level(
    request: HttpRequest, device_id: FromPath[str], data: JSONBody[schemas.LevelAsked], idempotency_key: IdempotencyKey = None
) -> Response[schemas.OrderView]:
    """Set the level a device should have; guarded as the ladder is. Problems: devices.restriction_not_allowed, not_bound."""
    notice = data.notice_message_id
    order = api.LevelRequest(
        device_id=id_from(Prefix.DEVICE, device_id),
        level=data.level,
        legal_basis=data.legal_basis,
        notice_message_id=None if notice is None else id_at(Prefix.MESSAGE, notice, "/notice_message_id"),
    )
    return await run(request, api.request_levels, order, key=idempotency_key, status=202)


@post("/v1/devices/{device_id:str}/holds", tags=["devices"], operation_id="set_hold", guards=WRITER, status_code=200)
async def set_hold(
    request: HttpRequest, device_id: FromPath[str], data: JSONBody[schemas.HoldAsked], idempotency_key: IdempotencyKey = None
) -> Response[schemas.HoldView]:
    """Stop escalation for a dispute, hardship, death or disaster, or let it go on. Problems: devices.not_bound."""
    hold = api.HoldRequest(device_id=id_from(Prefix.DEVICE, device_id), kind=data.kind, is_placed=data.is_placed)
    return await run(request, api.set_holds, hold, key=idempotency_key)


routes = [enrol_device, get_device, get_login, order_level, set_hold]
