"""Routes of parties: people masked, consents withdrawn, messages of a subject, and the carrier's callback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.kernel.errors import Invalid, NotFound
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.outcomes import Outcome
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission, system_actor
from xinzu.platform.http.callbacks import believed
from xinzu.platform.http.door import (
    Cursor,
    HttpRequest,
    IdempotencyKey,
    Limit,
    id_from,
    reading,
    requires,
    run,
    runtime_of,
    subject_from,
)
from xinzu.platform.signed_http import SignatureRefused
from xinzu.platform.uow import UnitOfWork
from xinzu.records.parties import api, schemas
from xinzu.records.parties.errors import CallbackRefused, MessageUnknown
from xinzu.records.parties.model import ConsentPurpose, MessageState
from xinzu.records.parties.providers.signed_sms import sms_peer

READER = [requires(Permission.PARTY_READ)]
WRITER = [requires(Permission.PARTY_WRITE)]
CALLBACK_ACTOR = system_actor("parties.sms_callback")

Subject = Annotated[
    str, QueryParameter(name="subject", max_length=64, description="What the messages are about, e.g. agr_… or app_…")
]


@get("/v1/parties/{party_id:str}", tags=["parties"], operation_id="get_party", guards=READER)
async def get_party(request: HttpRequest, party_id: FromPath[str]) -> schemas.PartyView:
    """A person, masked, with what they consented to."""
    found = id_from(Prefix.PARTY, party_id)
    async with reading(request) as read:
        return schemas.party_view(await api.masked_person(read, found), await api.consents_of(read, found))


@post("/v1/party-searches", tags=["parties"], operation_id="search_parties", status_code=200, guards=READER)
async def search_parties(request: HttpRequest, data: JSONBody[schemas.PartySearch]) -> schemas.PeopleFound:
    """People on file under a phone or an identity number; the answer is masked."""
    if (data.phone is None) == (data.identity_no is None):
        raise Invalid.field(
            "/phone", "parties.search_by_one", "请只填写手机号或身份证号其中之一", "Give either the phone or the identity number"
        )
    async with reading(request) as read:
        found = await api.find_people(read, phone=data.phone, identity_no=data.identity_no)
    return schemas.PeopleFound(items=[schemas.person_view(person) for person in found])


async def _change_phones(uow: UnitOfWork, requests: Sequence[tuple[UUID, str]]) -> list[Outcome[schemas.PersonView]]:
    return [
        schemas.person_view(outcome) if isinstance(outcome, api.MaskedPerson) else outcome
        for outcome in await api.change_phone(uow, requests)
    ]


@put("/v1/parties/{party_id:str}/phone", tags=["parties"], operation_id="change_party_phone", guards=WRITER)
async def change_phone(
    request: HttpRequest, party_id: FromPath[str], data: JSONBody[schemas.PhoneChange], key: IdempotencyKey = None
) -> Response[schemas.PersonView]:
    """Replace a person's phone after verifying that it is they who ask."""
    return await run(request, _change_phones, (id_from(Prefix.PARTY, party_id), data.phone), key=key)


@post(
    "/v1/parties/{party_id:str}/consents/{purpose:str}/withdrawal",
    tags=["parties"],
    operation_id="withdraw_consent",
    status_code=200,
    guards=WRITER,
)
async def withdraw_consent(
    request: HttpRequest, party_id: FromPath[str], purpose: FromPath[str], key: IdempotencyKey = None
) -> Response[api.Withdrawn]:
    """Take back a consent (PIPL art. 15). Applications that rest on it are stopped."""
    if purpose not in set(ConsentPurpose):
        raise NotFound("没有这个用途", "There is no such purpose")
    asked = (id_from(Prefix.PARTY, party_id), ConsentPurpose(purpose))
    return await run(request, api.withdraw_consents, asked, key=key)


@get("/v1/messages", tags=["parties"], operation_id="list_messages", guards=READER)
async def list_messages(
    request: HttpRequest, subject: Subject, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> schemas.MessagePage:
    """Messages sent about an agreement or application, newest first."""
    subject_id = subject_from(subject)
    async with reading(request) as read:
        found = await api.messages_of(read, subject_id, before=decode_cursor(cursor), limit=limit + 1)
    page = page_of(found, limit, lambda message: message.id)
    return schemas.MessagePage(items=[schemas.message_view(message) for message in page.items], next_cursor=page.next_cursor)


@post("/v1/callbacks/sms/{tenant:str}", tags=["parties"], operation_id="receive_sms_report", security=[{}], status_code=200)
async def receive_sms_report(request: HttpRequest, tenant: FromPath[str]) -> schemas.CallbackAccepted:
    """The SMS carrier's signed report of a delivery. Unsigned, stale, replayed or unknown: refused, nothing written."""
    runtime = runtime_of(request)
    peer = sms_peer(runtime.settings)
    if peer is None:
        raise CallbackRefused()
    try:
        verified = await believed(request, peer)
    except SignatureRefused:
        raise CallbackRefused() from None
    try:
        report = msgspec.json.decode(await request.body(), type=schemas.SmsReport)
    except msgspec.MsgspecError:
        raise Invalid("回调内容不符合约定", "The callback's body does not follow the contract") from None
    delivered = report.status == "delivered"
    settlement = api.Settlement(
        _message_id(report.reference),
        MessageState.DELIVERED if delivered else MessageState.FAILED,
        provider_message_id=report.message_id,
        reason=None if delivered else report.code or "undelivered",
        delivered_at=report.occurred_at if delivered else None,
    )
    async with runtime.unit(await runtime.tenant_id_of(tenant), CALLBACK_ACTOR) as uow:
        await api.record_callback(uow, verified.key_id, verified.nonce, settlement)
    return schemas.CallbackAccepted(accepted=True)


def _message_id(reference: str) -> UUID:
    try:
        return parse_id(Prefix.MESSAGE, reference)
    except ValueError:
        raise MessageUnknown() from None


routes = [
    get_party,
    search_parties,
    change_phone,
    withdraw_consent,
    list_messages,
    receive_sms_report,
]
