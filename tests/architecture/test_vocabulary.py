"""Names are made of the glossary's words: tables, events and states say what docs/glossary.md says, or plain English.

A term of the field belongs in the glossary, with its Chinese; the lists below are for words that need no explanation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path

from xinzu.app.modules import MODULES, load_modules
from xinzu.kernel.events import event_types
from xinzu.platform.db import metadata

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What plainly happens to a thing: verbs, found here by their stem, and forms that have none.
PLAIN_VERBS = _words(
    """
    accept add allocate apply assign await call cancel change clear commence contract create decide deliver determine draft end expire fail finish
    inspect intend issue open pass queue raise record refuse remove render rent request reverse settle ship sign submit succeed supersede
    waive
    """
)
PLAIN_FORMS = _words("became fell handed lost made paid sent unpaid withdrawn written")
# Everyday nouns and small words, and the machinery's own.
PLAIN_NOUNS = _words("active address column counter day for item over unknown")
MACHINERY = _words("api key platform session")


def _terms() -> set[str]:
    """The words of the glossary's English columns."""
    rows = [line.strip("|").split("|") for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return {word for row in rows for cell in row[1::2] for word in re.findall(r"[a-z]+", cell.lower())}


def _stems(word: str) -> Iterator[str]:
    """A word without its plural, past tense or -ing form: settled → settle, referred → refer, parties → party."""
    yield word
    for ending, instead in (("ies", "y"), ("ied", "y"), ("s", ""), ("d", ""), ("ed", ""), ("ing", ""), ("ing", "e")):
        if word.endswith(ending) and len(word) - len(ending) > 2:
            stem = word.removesuffix(ending) + instead
            yield stem
            if len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]


def _states() -> Iterator[tuple[str, str]]:
    """Each state of each noun, by the enum's name."""
    for module in MODULES:
        for name, value in vars(import_module(f"{module}.model")).items():
            if isinstance(value, type) and issubclass(value, StrEnum) and name.endswith("State"):
                yield from ((f"{module}.model.{name}", str(state)) for state in value)


def _names() -> dict[str, list[str]]:
    """The words of each table, event and state."""
    load_modules()
    names = {f"table {table.name}": table.name.split("_") for table in metadata.sorted_tables}
    for event_type, event in event_types().items():
        if event.__module__.startswith("xinzu."):  # tests declare events of their own
            words = re.split(r"[._]", event_type.removeprefix("xinzu."))
            names[f"event {event_type}"] = words[:-1]  # without the version
    for noun, state in _states():
        names[f"state {noun}: {state}"] = state.split("_")
    return names


def test_names_are_made_of_the_glossary_s_words_or_of_plain_ones() -> None:
    known = _terms() | PLAIN_VERBS | PLAIN_FORMS | PLAIN_NOUNS | MACHINERY
    strange = {
        f"{name}: {word}" for name, words in _names().items() for word in words if not any(stem in known for stem in _stems(word))
    }
    assert strange == set(), "put terms of the field into docs/glossary.md (zh and en), plain words into this test"


def test_the_lists_hold_no_word_that_is_not_needed() -> None:
    used = {stem for words in _names().values() for word in words for stem in _stems(word)}
    plain = PLAIN_VERBS | PLAIN_FORMS | PLAIN_NOUNS | MACHINERY
    assert plain - used == set(), "no name uses these"
    assert plain & _terms() == set(), "these stand in the glossary"


def test_each_row_of_the_glossary_pairs_chinese_with_english() -> None:
    rows = [line.strip("|").split("|") for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    pairs = [(row[at].strip(), row[at + 1].strip()) for row in rows[1:] for at in (0, 2)]
    assert [pair for pair in pairs if not (re.search(r"[\u4e00-\u9fff]", pair[0]) and re.search(r"[a-z]", pair[1]))] == []
    doubled = sorted({zh for zh, _ in pairs if [each for each, _ in pairs].count(zh) > 1})
    assert doubled == [], "one row for each term"
