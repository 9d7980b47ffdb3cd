"""What is wrong is refused with a problem that names the place and the remedy, repeats nobody's data, and writes nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import text
from tests.integration.http.edges import api_over, runtime_with

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.kernel.outcomes import accepted
from xinzu.kernel.time import FixedClock, SystemClock
from xinzu.platform.actor import Actor
from xinzu.platform.crypto.identifiers import identity_no_check
from xinzu.platform.db import set_tenant, tenant_tables
from xinzu.platform.runtime import Runtime
from xinzu.platform.servers.roles import DatabaseUrls
from xinzu.platform.settings import Settings
from xinzu.platform.signed_http import signed_headers
from xinzu.records.parties import api as parties

IDENTITY_NO = "33010219900101123" + identity_no_check("33010219900101123")
PHONE = "13912345678"
NAME = "欧阳晓明"
JSON = {"content-type": "application/json"}
PRODUCT = '{"name": "星河 17", "category": "phone"}'


async def rows_of(runtime: Runtime, tenant_id: int) -> dict[str, int]:
    """Rows per table of a tenant."""
    async with runtime.database.engine.connect() as connection:
        await connection.exec_driver_sql(set_tenant(tenant_id))
        counted = {}
        for table in tenant_tables():
            counted[table.name] = int((await connection.execute(text(f"SELECT count(*) FROM {table.name}"))).scalar_one())
    return counted


def problem(response: httpx.Response) -> dict[str, object]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    found: dict[str, object] = response.json()
    assert found["status"] == response.status_code
    assert found["code"]
    assert found["detail"]
    return found


@pytest.mark.parametrize(
    ("path", "content", "status", "pointer"),
    [
        (
            "/v1/assets",
            '{"serial": "A-1234", "product_id": "prd_00000000000000000000000001", "purchase_cost_fen": "1"}',
            422,
            "/purchase_cost_fen",
        ),
        (
            "/v1/assets",
            '{"serial": "A-1234", "product_id": "prd_00000000000000000000000001", "purchase_cost_fen": 1.5}',
            422,
            "/purchase_cost_fen",
        ),
        (
            "/v1/assets",
            '{"serial": "A-1234", "product_id": "prd_00000000000000000000000001", "purchase_cost_fen": true}',
            422,
            "/purchase_cost_fen",
        ),
        (
            "/v1/assets",
            f'{{"serial": "A-1234", "product_id": "prd_00000000000000000000000001", "purchase_cost_fen": 1{"0" * 40}}}',
            422,
            "/purchase_cost_fen",
        ),
        (
            "/v1/assets",
            '{"serial": "A-1234", "product_id": "prd_00000000000000000000000001", "purchase_cost_fen": -1}',
            422,
            "/purchase_cost_fen",
        ),
        ("/v1/products", '{"name": "a\\u0000b", "category": "phone"}', 422, "/name"),
        ("/v1/products", '{"name": "a", "category": "spaceship"}', 422, "/category"),
        ("/v1/products", '{"name": 7, "category": "phone"}', 422, "/name"),
        ("/v1/products", '{"name": "a"}', 422, None),
        ("/v1/products", '{"name": "a", "category": "phone", "colour": "red"}', 422, None),
        ("/v1/products", "[]", 422, None),
        ("/v1/products", "null", 422, None),
        ("/v1/products", '"text"', 422, None),
        ("/v1/products", "", 422, None),
        ("/v1/products", '{"name": "a", "category":', 400, None),
        ("/v1/products", '{"name": "\\ud800", "category": "phone"}', 400, None),
        ("/v1/products", '{"name": "a", "category": "phone"} {}', 400, None),
        ("/v1/products", "NaN", 400, None),
        ("/v1/products", "[" * 100_000, 422, None),
        ("/v1/applications", '{"signals": ' + '{"a":' * 100_000, 422, "/signals/…"),
        ("/v1/sessions", '{"tenant": "a\\u0000", "login": "b", "password": "c"}', 422, "/tenant"),
        ("/v1/sessions", f'{{"tenant": "a", "login": "b", "password": "{"x" * 2000}"}}', 422, "/password"),
    ],
)
async def test_a_wrong_body_is_refused_and_nothing_is_written(
    api: httpx.AsyncClient,
    runtime: Runtime,
    tenant_id: int,
    api_key: dict[str, str],
    path: str,
    content: str,
    status: int,
    pointer: str | None,
) -> None:
    before = await rows_of(runtime, tenant_id)
    response = await api.post(path, content=content, headers={**api_key, **JSON, "Idempotency-Key": "k"})
    found = problem(response)
    assert response.status_code == status, response.text
    if pointer is not None:
        errors = found["errors"]
        assert isinstance(errors, list)
        assert errors[0]["pointer"] == pointer
        assert errors[0]["detail"]
    assert await rows_of(runtime, tenant_id) == before


async def test_bytes_that_are_no_utf8_are_refused(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    response = await api.post("/v1/products", content=b'{"name": "\xff\xfe", "category": "phone"}', headers={**api_key, **JSON})
    assert (response.status_code, problem(response)["code"]) == (400, "request.malformed")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""]
)
async def test_only_json_is_read_as_json(
    api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, api_key: dict[str, str], content_type: str
) -> None:
    before = await rows_of(runtime, tenant_id)
    response = await api.post("/v1/products", content=PRODUCT, headers={**api_key, "content-type": content_type})
    assert (response.status_code, problem(response)["code"]) == (415, "request.unsupported_media_type")
    assert "application/json" in response.json()["detail"]
    assert await rows_of(runtime, tenant_id) == before


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_by_any_of_its_spellings_is_read(api: httpx.AsyncClient, api_key: dict[str, str], content_type: str) -> None:
    response = await api.post("/v1/products", content=PRODUCT, headers={**api_key, "content-type": content_type})
    assert response.status_code == 201, response.text


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("limit=ten", "/query/limit"),
        ("limit=" + "9" * 400, "/query/limit"),
        ("cursor=%00", "/query"),
        ("cursor=nonsense", "/query/cursor"),
        ("cursor=" + "A" * 5000, "/query/cursor"),
        ("state=nonsense", "/query/state"),
    ],
)
async def test_a_wrong_query_is_named(api: httpx.AsyncClient, api_key: dict[str, str], query: str, pointer: str) -> None:
    response = await api.get(f"/v1/plans?{query}", headers=api_key)
    assert response.status_code == 422, response.text
    errors = problem(response)["errors"]
    assert isinstance(errors, list)
    assert errors[0]["pointer"] == pointer


async def test_a_missing_parameter_is_named_without_the_address(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    response = await api.get(f"/v1/evidence?limit=5&who={PHONE}", headers=api_key)
    assert response.status_code == 422
    assert problem(response)["errors"] == [
        {"pointer": "/query/subject", "code": "request.missing", "detail": "缺少参数 /query/subject，请补充"}
    ]


@pytest.mark.parametrize("query", ["limit=5&limit=6", "state=draft&state=published", "&&&", "limit=5;limit=6", "%ff=%ff&%zz"])
async def test_a_strange_query_is_no_defect(api: httpx.AsyncClient, api_key: dict[str, str], query: str) -> None:
    assert (await api.get(f"/v1/plans?{query}", headers=api_key)).status_code in {200, 422}


@pytest.mark.parametrize(
    "path",
    ["/v1/plans/" + "x" * 20_000, "/v1/plans/%00", "/v1/plans/%ff%fe", "/v1/plans/..%2f..%2fetc", "/v1/plans/%F0%9F%92%A9"],
)
async def test_a_strange_path_finds_nothing(api: httpx.AsyncClient, api_key: dict[str, str], path: str) -> None:
    response = await api.get(path, headers=api_key)
    assert response.status_code in {404, 422}
    problem(response)


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", "键".encode().decode("latin-1"), "a\tb"])
async def test_a_strange_idempotency_key_is_refused(
    api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, api_key: dict[str, str], key: str
) -> None:
    before = await rows_of(runtime, tenant_id)
    headers = {**api_key, **JSON, "Idempotency-Key": key.encode("latin-1")}
    response = await api.post("/v1/products", content=PRODUCT, headers=headers)  # type: ignore[arg-type]
    assert response.status_code == 422, response.text
    assert await rows_of(runtime, tenant_id) == before


@pytest.mark.parametrize(
    "cookie", ['xinzu_session="\\000x.y"', "xinzu_session=", "xinzu_session=;;;=", "xinzu_session=" + "a" * 9000 + ".b"]
)
async def test_a_strange_cookie_is_no_credential(api: httpx.AsyncClient, cookie: str) -> None:
    response = await api.get("/v1/plans", headers={"cookie": cookie})
    assert (response.status_code, problem(response)["code"]) == (401, "request.unauthenticated")


# --- huge bodies ---


async def test_a_body_announced_as_huge_is_refused_unread(api: httpx.AsyncClient, api_key: dict[str, str]) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b" " * 10_000

    headers = {**api_key, **JSON, "Content-Length": "10000000"}
    response = await api.post("/v1/products", content=body(), headers=headers)
    assert (response.status_code, problem(response)["code"]) == (413, "request.too_large")
    assert read == 0


async def test_a_body_that_never_ends_is_cut_off(api: httpx.AsyncClient, api_key: dict[str, str], settings: Settings) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 10_000
            yield b" " * 10_000

    response = await api.post("/v1/products", content=body(), headers={**api_key, **JSON})
    assert response.status_code == 413
    assert read <= settings.request_bytes_max + 20_000


# --- callbacks ---

SMS_SECRET = "a shared secret of this test"


async def test_a_callback_is_believed_once_and_only_under_its_signature(
    database_urls: DatabaseUrls, settings: Settings, clock: FixedClock, tenant_id: int, actor: Actor
) -> None:
    changed = settings.model_copy(
        update={"sms_url": SecretStr("http://127.0.0.1:9/sms"), "sms_key": SecretStr(f"carrier:{SMS_SECRET}")}
    )
    async with runtime_with(database_urls, changed, clock) as runtime, api_over(runtime) as api:
        async with runtime.unit(tenant_id, actor) as uow:
            slug = await uow.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
            draft = parties.PersonDraft(name=NAME, identity_no=IDENTITY_NO, phone=PHONE)
            party_id = accepted((await parties.register_people(uow, [draft]))[0]).id
            message = parties.MessageDraft(
                party_id=party_id,
                subject_id=new_id(),
                template=parties.MessageTemplate.RESTRICTION_NOTICE,
                variables={"agreement_no": "XZ-1", "amount_fen": 39_900, "not_before": "3月5日9:00", "level": "limit"},
            )
            (message_id,) = await parties.send_messages(uow, [message])
            # As the sending job leaves it when the carrier's answer got lost.
            await uow.execute(
                "UPDATE parties_message SET state = 'unknown', attempts = 1, attempted_at = :now"
                " WHERE tenant_id = :tenant AND id = :id",
                now=uow.now,
                id=message_id,
            )
        report = {
            "event_id": "e1",
            "message_id": "m1",
            "reference": public_id(Prefix.MESSAGE, message_id),
            "status": "delivered",
            "occurred_at": "2026-03-02T01:00:00Z",
        }
        path, body = f"/v1/callbacks/sms/{slug}", json.dumps(report).encode()
        now = SystemClock().now()
        right = {**JSON, **signed_headers("carrier", SMS_SECRET, "POST", path, body, now)}
        before = await rows_of(runtime, tenant_id)
        for headers, sent in (
            (JSON, body),
            ({**JSON, **signed_headers("carrier", "another secret", "POST", path, body, now)}, body),
            ({**JSON, **signed_headers("nobody", SMS_SECRET, "POST", path, body, now)}, body),
            ({**JSON, **signed_headers("carrier", SMS_SECRET, "POST", "/v1/callbacks/sms/other", body, now)}, body),
            ({**JSON, **signed_headers("carrier", SMS_SECRET, "POST", path, body, now.replace(year=now.year - 1))}, body),
            (right, body.replace(b"delivered", b"undelivered")),
            ({**right, "x-xinzu-timestamp": "soon"}, body),
        ):
            refused = await api.post(path, content=sent, headers=headers)
            assert (refused.status_code, problem(refused)["code"]) == (401, "parties.callback_refused")
        assert await rows_of(runtime, tenant_id) == before
        for wrong in (b"{}", b"[]", b"\xff", body.replace(b'"m1"', b'"m\\u0000"'), body.replace(b"2026-03-02", b"someday")):
            signed = {**JSON, **signed_headers("carrier", SMS_SECRET, "POST", path, wrong, now)}
            refused = await api.post(path, content=wrong, headers=signed)
            assert refused.status_code in {400, 422}, refused.text
            problem(refused)
        assert await rows_of(runtime, tenant_id) == before
        assert (await api.post(path, content=body, headers=right)).status_code == 200
        after = await rows_of(runtime, tenant_id)
        replayed = await api.post(path, content=body, headers=right)
        assert (replayed.status_code, problem(replayed)["code"]) == (409, "parties.callback_replayed")
        assert await rows_of(runtime, tenant_id) == after


@pytest.mark.parametrize(
    "content",
    ["", "a=1", "sign=x&sign_type=RSA2&notify_id=1", "a=%00", "a=1&a=2", "%ff=%ff", "&".join(f"f{n}=1" for n in range(3000))],
)
async def test_a_payment_notification_that_is_none_leaves_no_trace(
    api: httpx.AsyncClient, runtime: Runtime, tenant_id: int, actor: Actor, content: str
) -> None:
    async with runtime.unit(tenant_id, actor) as uow:
        slug = await uow.scalar("SELECT slug FROM platform_tenant WHERE id = :tenant")
    before = await rows_of(runtime, tenant_id)
    form = {"content-type": "application/x-www-form-urlencoded"}
    response = await api.post(f"/v1/callbacks/alipay/{slug}", content=content, headers=form)
    assert 400 <= response.status_code < 500
    assert "success" not in response.text
    assert await rows_of(runtime, tenant_id) == before


# --- personal data ---

# ``?`` stands for the value, ``&`` for the question mark.
READ = (
    "/v1/?",
    "/v1/parties/?",
    "/v1/parties/pty_?",
    "/v1/parties&phone=?",
    "/v1/applications&state=?",
    "/v1/applications&limit=?",
    "/v1/applications&cursor=?",
    "/v1/assets&product_id=?",
    "/v1/evidence&?=?",
    "/v1/evidence&subject=?",
    "/v1/ledger/trial-balance&on=?",
    "/v1/ledger/lines&account=?",
)
WRITTEN = (
    "/v1/callbacks/sms/?",
    "/v1/callbacks/alipay/?",
    "/v1/callbacks/courier/?",
    "/v1/parties/pty_00000000000000000000000001/consents/?/withdrawal",
    "/v1/agreements/?/acceptance-codes",
)


def _misplaced(value: str) -> list[object]:
    """Applications with personal data where it does not belong."""
    applicant = {"name": NAME, "identity_no": IDENTITY_NO, "phone": PHONE}
    right = {
        "channel": "alipay",
        "plan_id": "pln_00000000000000000000000001",
        "applicant": applicant,
        "delivery_address": f"{NAME} 收，科技园 1 号",
        "consents": {"application": "1", "identity_check": "1", "decision": "1"},
        "signals": {},
    }
    return [
        right,
        {**right, "channel": value},
        {**right, value: 1},
        {**right, "applicant": {**applicant, value: value}},
        {**right, "applicant": {**applicant, "phone": [value]}},
        {**right, "applicant": value},
        {**right, "signals": {value: 1}},
        {**right, "signals": {"risk": value + "\n"}},
        {**right, "plan_id": value},
        {**right, "delivery_address": value + "\0"},
        {**right, "consents": {"application": value + " "}},
    ]


async def test_personal_data_in_the_wrong_place_is_neither_repeated_nor_logged(
    api: httpx.AsyncClient, api_key: dict[str, str], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    answers: list[httpx.Response] = []
    with structlog.testing.capture_logs() as entries:
        for value in (IDENTITY_NO, PHONE, NAME):
            answers += [await api.post("/v1/applications", json=body, headers=api_key) for body in _misplaced(value)]
            quoted = quote(value)
            answers += [await api.get(path.replace("?", quoted).replace("&", "?"), headers=api_key) for path in READ]
            answers += [await api.post(path.replace("?", quoted), json={"who": value}, headers=api_key) for path in WRITTEN]
            answers.append(await api.post("/v1/sessions", json={"tenant": value, "login": value, "password": value}))
            keyed = {**api_key, **JSON, "Idempotency-Key": quoted + " "}
            answers.append(await api.post("/v1/products", content=PRODUCT, headers=keyed))
            both = {"phone": value, "identity_no": value}
            answers.append(await api.post("/v1/party-searches", json=both, headers=api_key))
            answers.append(await api.get("/v1/plans", headers={"Authorization": f"Bearer {quoted}"}))
            answers.append(await api.get("/v1/plans", headers={"Cookie": f"xinzu_session={quoted}.{quoted}"}))
    assert [answer for answer in answers if answer.status_code >= 500] == []
    written = [*(answer.text for answer in answers), *(str(dict(answer.headers)) for answer in answers), str(entries)]
    written += [caplog.text if caplog.text.count("httpx") == 0 else "", *capfd.readouterr()]
    repeated = [(value, line[:300]) for line in written for value in (IDENTITY_NO, PHONE, NAME, quote(NAME)) if value in line]
    assert repeated == []
