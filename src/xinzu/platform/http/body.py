"""Requests are read strictly and once for all routes: ``"1"`` is not a number, a wrong field is named, and what no text column can
hold never reaches a command.

PostgreSQL's text has no NUL and UTF-8 has no lone surrogates. A JSON string can spell the first, so it is looked for here, in one
pass over the bytes that costs nothing when it is not there.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.exceptions import ClientException, ValidationException

from xinzu.kernel.errors import Invalid
from xinzu.platform.http.problems import UnsupportedMediaType, field_name

_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}
_NUL_ESCAPED = b"\\u0000"


class StrictRequest(Request[Any, Any, Any]):
    """Litestar's request, except that JSON becomes the declared body type at once, without its lax conversions."""

    async def json(self) -> Any:  # noqa: ANN401 (the body's type is the handler's)
        """The body as the handler's type.

        Raises UnsupportedMediaType, ValidationException naming the field, Invalid for a NUL, ClientException for what is not JSON.
        """
        content = await self.body()
        if content:
            _expect_json(self.content_type[0].lower())
        field = self.route_handler.parsed_data_field
        target = Any if field is None else field.annotation
        decoder = _DECODERS.get(target)
        if decoder is None:
            decoder = _DECODERS[target] = msgspec.json.Decoder(target, strict=True)
        try:
            decoded = decoder.decode(content or b"null")
            if _NUL_ESCAPED in content:
                _refuse_nul_inside(msgspec.json.decode(content))
        except msgspec.ValidationError as wrong:
            raise ValidationException("the body is not valid", extra=[{"message": str(wrong), "source": "body"}]) from wrong
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            raise ClientException("the body is not JSON") from wrong
        return decoded

    async def form(self) -> FormMultiDict:
        """The fields of a form; raises Invalid for a NUL."""
        fields = await super().form()
        for name, value in fields.multi_items():
            if "\0" in name or (isinstance(value, str) and "\0" in value):
                raise _nul("")
        return fields


async def refuse_nul_in_address(request: Request[Any, Any, Any]) -> None:
    """Before every handler: neither path nor query may hold a NUL. Raises Invalid.

    Async, because Litestar would send a plain function to a thread at each request.
    """
    if "\0" in request.scope["path"]:
        raise _nul("/path")
    if b"%00" in request.scope["query_string"]:
        raise _nul("/query")


def _expect_json(media_type: str) -> None:
    if media_type != "application/json" and not (media_type.startswith("application/") and media_type.endswith("+json")):
        raise UnsupportedMediaType(
            "请求体须为 JSON：请使用 Content-Type: application/json",
            "The body must be JSON: use Content-Type: application/json",
        )


def _refuse_nul_inside(value: object) -> None:
    """Look for the string that holds it, without recursion: a body may be nested as deeply as its sender likes."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        pointer, found = waiting.pop()
        if isinstance(found, str) and "\0" in found:
            raise _nul(pointer)
        if isinstance(found, list):
            waiting += [(f"{pointer}/{index}", item) for index, item in enumerate(found)]
        elif isinstance(found, dict):
            for name, item in found.items():
                if "\0" in name:
                    raise _nul(pointer)
                waiting.append((f"{pointer}/{field_name(name)}", item))


def _nul(pointer: str) -> Invalid:
    return Invalid.field(
        pointer,
        "request.nul_character",
        f"{pointer or '/'} 含有空字符（U+0000），请删除",
        f"{pointer or '/'} holds the character U+0000: remove it",
    )
