"""A report's document as a tree and back: XML as the bureau delivers it, JSON as gateways convert it.

XML is read by a parser of our own over expat, because the standard tree builders accept document types: entities that expand or reach
out have no place in a credit report. GB 18030 is decoded first, which expat cannot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from xml.parsers import expat
from xml.sax.saxutils import escape

from xinzu.kernel.errors import Invalid
from xinzu.middle.credit.rules.pboc.fields import Tree

ROOT = "Document"
DEPTH_MAX = 12
_DECLARED = re.compile(rb"""<\?xml[^>]*encoding=["']([A-Za-z0-9_.-]+)["']""")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]{0,15}")


class _Refused(ValueError):
    """What the parser does not read on; ``args`` are the words in Chinese and English."""


class _Builder:
    """Collects elements: text of leaves, objects of the others, lists where a tag comes again."""

    def __init__(self) -> None:
        self.root: tuple[str, object] | None = None
        self._open: list[tuple[str, dict[str, object], list[str]]] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) >= DEPTH_MAX:
            raise _Refused("节点层级过深，不是个人信用报告", "nodes are nested too deep for a credit report")
        self._open.append((tag, {}, []))

    def text(self, characters: str) -> None:
        if self._open:
            self._open[-1][2].append(characters)

    def end(self, tag: str) -> None:
        _, children, characters = self._open.pop()
        content: object = children or "".join(characters).strip()
        if not self._open:
            self.root = (tag, content)
            return
        siblings = self._open[-1][1]
        if tag not in siblings:
            siblings[tag] = content
        elif isinstance(siblings[tag], list):
            siblings[tag].append(content)  # type: ignore[attr-defined]
        else:
            siblings[tag] = [siblings[tag], content]

    @staticmethod
    def doctype(*_: object) -> None:
        raise _Refused("报文不得包含 DOCTYPE，请删除文档类型声明", "a report has no DOCTYPE: remove the document type")


def tree_of_xml(content: bytes) -> Tree:
    """The tree below ``Document``. Raises Invalid naming the line."""
    builder = _Builder()
    try:
        parser = expat.ParserCreate(encoding="utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = builder.start
        parser.EndElementHandler = builder.end
        parser.CharacterDataHandler = builder.text
        parser.StartDoctypeDeclHandler = builder.doctype
        parser.Parse(_utf8(content), True)
    except expat.ExpatError as error:
        raise _unreadable(
            f"第 {error.lineno} 行不是合法的 XML，请重新导出报告",
            f"line {error.lineno} is not well-formed XML: export the report again",
        ) from None
    except _Refused as refused:
        raise _unreadable(*refused.args) from None
    tag, below = builder.root or ("", "")
    if tag != ROOT or not isinstance(below, Mapping):
        raise _unreadable(
            f"根节点应为 {ROOT} 且有内容，请导入二代个人信用报告",
            f"the root is {ROOT} with nodes below it: import a second-generation personal report",
        )
    return below


def tree_of_json(document: object) -> Tree:
    """The tree below ``Document``; gateways that leave the root out are understood too. Raises Invalid."""
    if isinstance(document, Mapping) and set(document) == {ROOT}:
        document = document[ROOT]
    if not isinstance(document, Mapping):
        raise _unreadable(
            f"应为以 {ROOT} 为根的 JSON 对象", f"a JSON object with the root {ROOT} is expected: import the converted report"
        )
    return document


def xml_of_tree(tree: Tree) -> bytes:
    """The document in UTF-8."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write(lines, ROOT, tree, "")
    return "\n".join(lines).encode()


def json_of_tree(tree: Tree) -> bytes:
    """The document as JSON: every leaf as text."""
    return json.dumps({ROOT: tree}, ensure_ascii=False, separators=(",", ":")).encode()


def _write(lines: list[str], tag: str, content: object, indent: str) -> None:
    if not _TAG.fullmatch(tag):
        raise ValueError(f"not a tag: {tag!r}")
    if isinstance(content, Mapping):
        lines.append(f"{indent}<{tag}>")
        for name, below in content.items():
            _write(lines, name, below, indent + " ")
        lines.append(f"{indent}</{tag}>")
    elif isinstance(content, list | tuple):
        for each in content:
            _write(lines, tag, each, indent)
    else:
        lines.append(f"{indent}<{tag}>{escape(str(content))}</{tag}>")


def _utf8(content: bytes) -> bytes:
    """The document in UTF-8, whatever it says it is in."""
    declared = _DECLARED.match(content.lstrip()[:200])
    encoding = declared[1].decode().lower() if declared else "utf-8"
    if encoding in ("utf-8", "utf8"):
        return content.removeprefix(b"\xef\xbb\xbf")
    if encoding not in ("gb18030", "gbk", "gb2312"):
        raise _Refused(
            f"不支持编码 {encoding}，请使用 UTF-8 或 GB18030", f"the encoding {encoding} is not read: use UTF-8 or GB18030"
        )
    try:
        return content.decode("gb18030").encode()
    except UnicodeDecodeError:
        raise _Refused("内容与声明的 GB18030 编码不符", "the content is not in the GB18030 it declares") from None


def _unreadable(zh: str, en: str) -> Invalid:
    return Invalid.field("/document", "credit.document_unreadable", zh, en)
