"""Problems with stable codes (RFC 9457). Modules subclass a kind; only ``platform.http.problems`` knows HTTP statuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Never


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong: a JSON pointer into the request, a code, and what to do about it."""

    pointer: str
    code: str
    detail_zh: str
    detail_en: str


class Problem(Exception):
    """A refusal a caller can act on. ``code`` is stable for ever; titles and details are for people, zh and en.

    ``extras`` are typed members added to the problem document; they never hold personal data.
    """

    code: ClassVar[str] = ""
    title_zh: ClassVar[str] = ""
    title_en: ClassVar[str] = ""

    def __init__(
        self,
        detail_zh: str = "",
        detail_en: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        **extras: str | int | bool | None,
    ) -> None:
        super().__init__(f"{self.code}: {detail_en or self.title_en}")
        self.detail_zh = detail_zh or self.title_zh
        self.detail_en = detail_en or self.title_en
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extras: Mapping[str, str | int | bool | None] = extras


class Invalid(Problem):
    """The request is understood and wrong: names the field and the remedy."""

    code = "request.invalid"
    title_zh = "请求内容有误"
    title_en = "The request is not valid"

    @classmethod
    def field(cls, pointer: str, code: str, detail_zh: str, detail_en: str) -> Invalid:
        """The common case: one field is wrong."""
        return cls(detail_zh, detail_en, errors=(FieldError(pointer, code, detail_zh, detail_en),))


class Unauthenticated(Problem):
    code = "request.unauthenticated"
    title_zh = "未登录或凭证无效"
    title_en = "No valid credential was given"


class Forbidden(Problem):
    code = "request.forbidden"
    title_zh = "没有权限"
    title_en = "The actor may not do this"


class NotFound(Problem):
    code = "request.not_found"
    title_zh = "没有找到"
    title_en = "There is no such thing here"


class Conflict(Problem):
    code = "request.conflict"
    title_zh = "与当前状态冲突"
    title_en = "The request conflicts with the current state"


class Gone(Problem):
    code = "request.gone"
    title_zh = "已失效"
    title_en = "It existed and is no longer available"


class TooMany(Problem):
    code = "request.too_many"
    title_zh = "请求过于频繁"
    title_en = "Too many requests"


class Unavailable(Problem):
    code = "request.unavailable"
    title_zh = "服务暂时不可用"
    title_en = "The service is not available just now"


KINDS: tuple[type[Problem], ...] = (Invalid, Unauthenticated, Forbidden, NotFound, Conflict, Gone, TooMany, Unavailable)


def all_problems() -> Iterator[type[Problem]]:
    """Every problem class loaded so far, for the generated reference."""

    def below(cls: type[Problem]) -> Iterator[type[Problem]]:
        for child in cls.__subclasses__():
            yield child
            yield from below(child)

    yield from below(Problem)


class InvariantBroken(AssertionError):
    """A programmer's error: something that must hold does not. Answered as 500, logged with an alarm."""


def invariant(condition: object, why: str) -> None:
    """Check what must always hold; unlike ``assert`` it survives ``python -O``."""
    if not condition:
        raise InvariantBroken(why)


def unreachable(why: str) -> Never:
    raise InvariantBroken(why)
