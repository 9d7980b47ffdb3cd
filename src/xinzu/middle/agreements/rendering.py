"""Rendering contracts as PDF/A-2b with typst.

typst lets other Python threads run while it works, so it has a thread of its own; a compiler serves one thread at a time and holds
some 80 MB, so there is one (about 100 documents per second) and a second is a matter of this constant.
Only the shipped font is used: the same input gives the same bytes on every machine.
"""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import noto_cjk_sans_otc
import typst

from xinzu.kernel.terms import Family
from xinzu.middle.agreements.model import Contract, RenderedDocument

TEMPLATES = Path(__file__).parent / "templates"
MAIN = TEMPLATES / "contract.typ"  # chooses the family's template
RENDERER = f"typst {version('typst')}"
THREADS = 1
NICENESS = 15
_of_thread = threading.local()


@cache
def template_sha256(family: Family) -> str:
    """Which wording a document of the family has: its template and the frame around it."""
    return sha256((TEMPLATES / f"{family}_contract.typ").read_bytes() + (TEMPLATES / "frame.typ").read_bytes()).hexdigest()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[Path(noto_cjk_sans_otc.__file__).parent])


@cache
def pool() -> ThreadPoolExecutor:
    """The process's rendering threads."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="typst", initializer=_be_nice)


def _be_nice() -> None:
    """Leave the processor to those who are waited for. Only Linux knows priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def render(contract: Contract) -> RenderedDocument:
    """One contract as a PDF; about 10 ms and 60 KB. Raises typst.TypstError, which is a defect of template or input."""
    # A path, not bytes: a compiler made from bytes forgets its main file after the first document.
    compiler: Any = getattr(_of_thread, "compiler", None)
    if compiler is None:
        compiler = _of_thread.compiler = typst.Compiler(str(MAIN), font_paths=_fonts())
    inputs = {"family": str(contract.family), "contract": contract.content.decode()}
    pdf: bytes = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards="a-2b")
    return RenderedDocument(contract.agreement_id, pdf, template_sha256(contract.family), RENDERER)
