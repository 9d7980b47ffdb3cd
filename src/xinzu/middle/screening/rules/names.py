"""How much a person is like somebody on a list: by name across scripts and spellings, by birth date, by document.

Chinese is read as pinyin (pypinyin, MIT, 3.6 MB, no dependency). What compares is Jaro-Winkler (Winkler 1990) on the syllables. A name
alone is never enough to be sure and a birth date that differs weighs against it, because a common Chinese name is shared by very many.
Measured by ``tests/unit/screening/test_names.py`` on made-up people; the figures stand in the manual.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from pypinyin import Style, pinyin

from xinzu.middle.screening.model import Match, WatchEntry

ALERT_SCORE_MIN = 0.85
_HAN = re.compile(r"[㐀-䶿一-鿿]")
_LETTERS = re.compile(r"[a-z]+")
# What other romanisations write for the same sound: initials and finals that pinyin spells otherwise (Wade-Giles, Hong Kong, careless).
_SPELLINGS = (
    ("hs", "x"),
    ("zh", "z"),
    ("ch", "c"),
    ("sh", "s"),
    ("ts", "c"),
    ("tz", "z"),
    ("lv", "lu"),
    ("nv", "nu"),
    ("ng", "n"),
)


def document_form(text: str) -> str:
    """A document number in the one form it is compared in."""
    return re.sub(r"[\s\-./]", "", unicodedata.normalize("NFKC", text)).upper()


@lru_cache(maxsize=20_000)
def syllables(name: str) -> tuple[str, ...]:
    """The words of a name in Latin letters without accents; of a Chinese name its syllables. Sorted, because which comes first differs.

    >>> syllables("王小明"), syllables("Xiao Ming WANG"), syllables("Müller, José")
    (('ming', 'wang', 'xiao'), ('ming', 'wang', 'xiao'), ('jose', 'muller'))
    """
    if _HAN.search(name):
        said = pinyin("".join(_HAN.findall(name)), style=Style.NORMAL)
        return tuple(sorted(each[0].replace("ü", "v") for each in said))
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(each for each in plain if not unicodedata.combining(each))
    return tuple(sorted(_LETTERS.findall(plain)))


def _sound(name: str) -> str:
    """A name as it sounds whatever the romanisation, without the spaces that some set between syllables and some do not."""
    spelt = []
    for each in syllables(name):
        word = each
        for one, other in _SPELLINGS:
            word = word.replace(one, other)
        spelt.append(word)
    return "".join(spelt)


def keys_of(name: str) -> set[str]:
    """By which a name is found among many: its letters without vowels in order of the alphabet, so that the order of its words and the
    spaces in it do not matter; and those keys that one consonant less would give, so that one slip does not either.

    >>> bool(keys_of("王小明") & keys_of("Wang Xiaoming")), bool(keys_of("王小明") & keys_of("Li Lei"))
    (True, False)
    """
    consonants = sorted(each for each in _sound(name) if each not in "aeiouy")
    whole = "".join(consonants)
    return {whole, *("".join(consonants[:n] + consonants[n + 1 :]) for n in range(len(consonants)))} - {""}


def jaro_winkler(one: str, other: str) -> float:
    """Similarity of two strings, 0 to 1, favouring a common beginning of up to four letters by a tenth each.

    >>> round(jaro_winkler("martha", "marhta"), 3), round(jaro_winkler("dixon", "dicksonx"), 3), jaro_winkler("", "a")
    (0.961, 0.813, 0.0)
    """
    if one == other:
        return 1.0 if one else 0.0
    if not one or not other:
        return 0.0
    reach = max(max(len(one), len(other)) // 2 - 1, 0)
    taken = [False] * len(other)
    kept: list[str] = []
    for place, letter in enumerate(one):
        for at in range(max(0, place - reach), min(len(other), place + reach + 1)):
            if not taken[at] and other[at] == letter:
                taken[at] = True
                kept.append(letter)
                break
    if not kept:
        return 0.0
    matched = [letter for letter, is_taken in zip(other, taken, strict=True) if is_taken]
    swapped = sum(mine != theirs for mine, theirs in zip(kept, matched, strict=True)) / 2
    count = len(kept)
    jaro = (count / len(one) + count / len(other) + (count - swapped) / count) / 3
    begin = 0
    for mine, theirs in zip(one[:4], other[:4], strict=False):
        if mine != theirs:
            break
        begin += 1
    return jaro + begin * 0.1 * (1 - jaro)


def name_score(one: str, other: str) -> tuple[float, str]:
    """How much two names are the same, and why: ``same``, ``same_sound`` (other characters or script), ``similar``.

    >>> name_score("王小明", "王小明"), name_score("王小明", "Wang Xiaoming")
    ((1.0, 'same'), (0.92, 'same_sound'))
    """
    if "".join(one.split()).casefold() == "".join(other.split()).casefold():
        return 1.0, "same"
    mine, theirs = _letters(one), _letters(other)
    if mine == theirs:
        # Two Chinese names in different characters are two names, though one may be misspelt.
        return (0.82 if _HAN.search(one) and _HAN.search(other) else 0.92), "same_sound"
    return 0.9 * max(jaro_winkler(_sound(one), _sound(other)), jaro_winkler(mine, theirs)), "similar"


def _letters(name: str) -> str:
    return "".join(sorted("".join(syllables(name))))


def match(name: str, birth_on: date | None, document_no: str | None, entry: WatchEntry) -> Match:
    """How much a person is like an entry. The same document decides alone. A birth date that agrees adds 0.08; one that does not takes 0.3
    away, of the same year 0.1, because lists are often wrong about the day."""
    if document_no is not None and entry.document_no is not None and document_no == entry.document_no:
        return Match(1.0, entry.names[0], "document")
    score, because, best = 0.0, "similar", entry.names[0]
    for each in entry.names:
        found, why = name_score(name, each)
        if found > score:
            score, because, best = found, why, each
    if birth_on is not None and entry.birth_on is not None:
        if birth_on == entry.birth_on:
            score, because = min(1.0, score + 0.08), f"{because}_and_birth_date"
        else:
            score -= 0.1 if birth_on.year == entry.birth_on.year else 0.3
    return Match(round(max(score, 0.0), 4), best, because)


def best_match(
    name: str, birth_on: date | None, document_no: str | None, entries: Iterable[WatchEntry]
) -> tuple[WatchEntry, Match] | None:
    """The entry a person is most like, when it is enough to be looked at."""
    found = [(entry, match(name, birth_on, document_no, entry)) for entry in entries]
    best = max(found, key=lambda each: each[1].score, default=None)
    return best if best is not None and best[1].score >= ALERT_SCORE_MIN else None
