"""Every refusal as an RFC 9457 document, zh or en by Accept-Language. The only place that knows HTTP statuses."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.enums import ParamType
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    SerializationException,
    ValidationException,
)
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import ParameterKwarg
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import TimeoutError as PoolTimeout

from xinzu.kernel import errors
from xinzu.kernel.errors import FieldError, Problem
from xinzu.platform.crypto.masking import redact
from xinzu.platform.db import is_connection_loss

log = structlog.get_logger(__name__)

TYPE_BASE = "urn:xinzu:problem:"
MEDIA_TYPE = "application/problem+json"
STATUS: dict[type[Problem], int] = {
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}


class Malformed(Problem):
    code = "request.malformed"
    title_zh = "请求格式无法识别"
    title_en = "The request cannot be read"


class TooLarge(Problem):
    code = "request.too_large"
    title_zh = "请求内容过大"
    title_en = "The request body is too large"


class UnsupportedMediaType(Problem):
    code = "request.unsupported_media_type"
    title_zh = "不支持的内容类型"
    title_en = "The content type is not supported"


class NoSuchRoute(errors.NotFound):
    code = "request.no_such_route"
    title_zh = "没有这个地址"
    title_en = "There is no such address"


class MethodNotAllowed(Problem):
    code = "request.method_not_allowed"
    title_zh = "该地址不支持此方法"
    title_en = "The address does not support this method"


class Internal(Problem):
    code = "request.internal_error"
    title_zh = "系统内部错误，已记录"
    title_en = "Something went wrong here; it has been recorded"


STATUS |= {Malformed: 400, MethodNotAllowed: 405, TooLarge: 413, UnsupportedMediaType: 415, Internal: 500}


class FieldErrorDocument(msgspec.Struct, kw_only=True):
    """One wrong field."""

    pointer: str
    code: str
    detail: str


class ProblemDocument(msgspec.Struct, kw_only=True, omit_defaults=True):
    """RFC 9457 problem details. ``code`` is stable; ``title`` and ``detail`` follow Accept-Language (zh first)."""

    type: str
    code: str
    title: str
    status: int
    detail: str
    trace_id: str | None = None
    errors: list[FieldErrorDocument] = msgspec.field(default_factory=list)


def status_of(problem: Problem) -> int:
    for cls in type(problem).__mro__:
        if cls in STATUS:
            return STATUS[cls]
    return 500


def _in_english(request: Request[Any, Any, Any]) -> bool:
    language = request.headers.get("accept-language", "")
    return language.lower().startswith("en")


def answer(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """The response for a problem. Its texts pass the same redaction as logs: a net under the rule that they name no personal data."""
    english = _in_english(request)
    status = status_of(problem)
    document = ProblemDocument(
        type=TYPE_BASE + problem.code,
        code=problem.code,
        title=problem.title_en if english else problem.title_zh,
        status=status,
        detail=redact(problem.detail_en if english else problem.detail_zh),
        trace_id=request.scope.get("state", {}).get("trace_id"),
        errors=[
            FieldErrorDocument(pointer=redact(e.pointer), code=e.code, detail=redact(e.detail_en if english else e.detail_zh))
            for e in problem.errors
        ],
    )
    extras = {name: redact(value) if isinstance(value, str) else value for name, value in problem.extras.items()}
    content = {**msgspec.to_builtins(document), **{name: value for name, value in extras.items() if value is not None}}
    headers = {"Content-Language": "en" if english else "zh"}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(content=msgspec.json.encode(content), status_code=status, media_type=MEDIA_TYPE, headers=headers)


_QUOTED = re.compile(r"'[^']*'")
_AT = re.compile(r" - at (?:`key` in )?`\$?([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN_FIELD = re.compile(r"^(Object contains unknown field) `(.*)`$", re.DOTALL)
_MISSING_PARAMETER = re.compile(r"Missing required (query|header|cookie|path) parameter '([A-Za-z0-9_\-]+)'")
# What a field may be called; anything else in its place may be a value that slipped, and is not repeated.
_FIELD_NAME = re.compile(r"^[A-Za-z][A-Za-z_\-]{0,39}$")


def field_name(name: str) -> str:
    """A field's name as a caller may read it back."""
    return name if _FIELD_NAME.match(name) else "…"


def _pointer(path: str) -> str:
    """msgspec's ``.applicant.phones[0]`` as a JSON pointer; it writes ``[...]`` for the members of a mapping."""
    return "".join(f"/{name or ('…' if index == '...' else index)}" for name, index in _STEP.findall(path))


def _reason(message: str) -> str:
    """What is wrong, without what was sent: a value may be personal data, and so may what stands where a field's name should."""
    text = _AT.sub("", message)
    unknown = _UNKNOWN_FIELD.match(text)
    if unknown:
        return f"{unknown.group(1)} {field_name(unknown.group(2))}"
    return _QUOTED.sub("…", text)


def _place(request: Request[Any, Any, Any], item: dict[str, Any]) -> str:
    """Where a wrong value stood, as a pointer: ``/query/limit``, or into the body."""
    at = _AT.search(str(item.get("message", "")))
    if at:
        return _pointer(at.group(1))
    key, source = str(item.get("key", "")), item.get("source", "body")
    parameter = request.route_handler.parsed_fn_signature.parameters.get(key)
    declared = parameter.kwarg_definition if parameter else None
    if isinstance(declared, ParameterKwarg):  # the handler's own name for it may be another
        return f"/{declared.param_type.value}/{declared.name or key}"
    if isinstance(source, ParamType):
        return f"/{source.value}/{key}"
    return "/" + key.replace(".", "/") if key else ""


def _invalid_from(request: Request[Any, Any, Any], error: ValidationException) -> errors.Invalid:
    found = []
    missing = _MISSING_PARAMETER.match(str(error.detail))
    if missing:
        pointer = f"/{missing.group(1)}/{missing.group(2)}"
        found.append(FieldError(pointer, "request.missing", f"缺少参数 {pointer}，请补充", f"{pointer} is missing: give it"))
    for item in error.extra if isinstance(error.extra, list) else []:
        pointer, reason = _place(request, item), _reason(str(item.get("message", "")))
        found.append(
            FieldError(pointer, "request.wrong_field", f"字段 {pointer or '/'} 有误：{reason}", f"{pointer or '/'}: {reason}")
        )
    first = found[0] if found else None
    return errors.Invalid(first.detail_zh if first else "", first.detail_en if first else "", errors=tuple(found))


def on_problem(request: Request[Any, Any, Any], error: Problem) -> Response[Any]:
    return answer(request, error)


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if isinstance(error, ValidationException):
        return answer(request, _invalid_from(request, error))
    if isinstance(error, NotFoundException):
        return answer(request, NoSuchRoute())
    if isinstance(error, MethodNotAllowedException):
        response = answer(request, MethodNotAllowed())
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        return response
    if error.status_code == 413:
        return answer(request, TooLarge())
    if error.status_code == 401:
        return answer(request, errors.Unauthenticated())
    if error.status_code == 403:
        return answer(request, errors.Forbidden())
    if isinstance(error, ClientException):
        return answer(request, Malformed())
    return on_defect(request, error)


def on_serialization(request: Request[Any, Any, Any], error: SerializationException) -> Response[Any]:
    return answer(request, Malformed())


def _is_database_away(error: Exception) -> bool:
    """Of the operating system's errors only a broken or refused connection: a missing file is a defect."""
    if isinstance(error, OSError):
        return isinstance(error, ConnectionError)
    return isinstance(error, PoolTimeout) or is_connection_loss(error)


def on_defect(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    # The route as declared: the path as sent may hold anything.
    route = request.scope.get("path_template", "")
    if _is_database_away(error):
        log.warning("the database connection broke", route=route, method=request.method, error=type(error).__name__)
        return answer(request, errors.Unavailable(retry_after_s=2))
    log.error("request failed", route=route, method=request.method, exc_info=error)
    return answer(request, Internal())


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    SerializationException: on_serialization,
    Exception: on_defect,
}


def _spec(description: str) -> ResponseSpec:
    return ResponseSpec(ProblemDocument, generate_examples=False, description=description, media_type=MEDIA_TYPE)


PROBLEM_RESPONSES: dict[int, ResponseSpec] = {
    400: _spec("The request cannot be read"),
    401: _spec("No valid credential"),
    403: _spec("The actor lacks the permission"),
    404: _spec("No such thing in this tenant"),
    409: _spec("Conflict with the current state, or an idempotency key used for another request"),
    410: _spec("It existed and is no longer available"),
    413: _spec("The body is too large"),
    415: _spec("The body is not JSON by its Content-Type"),
    422: _spec("A field is wrong: pointer, code and remedy are named"),
    429: _spec("Too many requests: Retry-After says when"),
    503: _spec("Not available just now: Retry-After says when"),
}
