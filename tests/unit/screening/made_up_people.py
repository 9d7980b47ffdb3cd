"""A small labelled set to measure how well people are found on watch lists: listed people, the same people as customers in several
spellings, and others who are not on the list. Made up from common names by a fixed seed; says nothing of any real list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random  # noqa: TID251 (a seeded generator)

from xinzu.middle.screening.model import WatchEntry
from xinzu.middle.screening.rules.names import syllables

FAMILIES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余"
GIVEN = "伟芳娜秀敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰飞鹏辉宁建国志红梅春文博雪婷浩宇轩晨思佳欣怡嘉俊"
# Characters that sound alike, as they are taken for one another.
HOMOPHONES = {
    "伟": "炜",
    "芳": "方",
    "丽": "莉",
    "军": "君",
    "勇": "永",
    "明": "铭",
    "平": "萍",
    "英": "瑛",
    "华": "桦",
    "国": "囯",
}
WADE_GILES = {"xiao": "hsiao", "zhang": "chang", "zhao": "chao", "zhou": "chou", "qiang": "chiang", "jie": "chieh", "xu": "hsu"}


@dataclass(frozen=True)
class Customer:
    """Who is compared, of which sort, and whom of the list he is (None: nobody)."""

    sort: str
    name: str
    birth_on: date
    is_entry: str | None


def spelt(name: str) -> list[str]:
    """The syllables of a Chinese name in their order, family name first."""
    return [syllables(each)[0] for each in name]


def made_up(seed: int = 7, count: int = 150) -> tuple[list[WatchEntry], list[Customer]]:
    """The list, and the customers compared with it."""
    rng = Random(seed)
    names: dict[str, date] = {}
    while len(names) < 2 * count:
        name = rng.choice(FAMILIES) + "".join(rng.sample(GIVEN, rng.choice((1, 2, 2, 2))))
        names[name] = date(1950, 1, 1) + timedelta(days=rng.randrange(55 * 365))
    listed, others = list(names)[:count], list(names)[count:]
    entries, customers = [], []
    for number, name in enumerate(listed):
        born, reference, parts = names[name], f"E{number}", spelt(name)
        way = number % 4  # what the list gives: Chinese, pinyin, both, or pinyin without a birth date
        latin = f"{parts[0].title()} {''.join(parts[1:]).title()}"
        given = (name,) if way == 0 else (latin, name) if way == 2 else (latin,)
        entries.append(WatchEntry(reference=reference, names=given, birth_on=None if way == 3 else born))
        other_characters = "".join(HOMOPHONES.get(each, each) for each in name)
        slipped = list("".join(parts))
        place = rng.randrange(1, len(slipped))
        slipped[place] = rng.choice("aeinou")
        customers += [
            Customer("same", name, born, reference),
            Customer("reversed", f"{' '.join(parts[1:])} {parts[0]}", born, reference),
            Customer("wade_giles", " ".join(WADE_GILES.get(each, each) for each in parts), born, reference),
            Customer("one_letter_wrong", "".join(slipped), born, reference),
            Customer("namesake", name, born + timedelta(days=rng.randrange(400, 9_000)), None if way != 3 else reference),
        ]
        if other_characters != name:
            customers.append(Customer("homophone", other_characters, born, reference))
    customers += [Customer("stranger", name, names[name], None) for name in others]
    return entries, customers
