"""Synthetic customers: valid in form (check digits, area codes), nobody in truth; and how each of them behaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from random import Random  # noqa: TID251 (seeded: the same demo every time)

from xinzu.platform.crypto.identifiers import identity_no_check

SEED = 20260302


class Behaviour(StrEnum):
    """What a customer of this kind does; the share of each stands in ``SHARES``."""

    PROMPT = "prompt"
    SHORT_OF_MONEY = "short_of_money"  # one attempt fails, the next day's succeeds
    FORGETFUL = "forgetful"  # pays actively after the first reminder
    LIMITED = "limited"  # pays after the device was limited
    LOCKED = "locked"  # pays after the device was locked, is unlocked
    DEFAULTER = "defaulter"  # stops paying for good
    EARLY_RETURN = "early_return"  # brings it back early, with damage
    DECLINED = "declined"  # the strategy declines
    REFERRED = "referred"  # a person decides
    CHANGES_MIND = "changes_mind"  # approved, never signs


SHARES: dict[Behaviour, int] = {
    Behaviour.PROMPT: 104,
    Behaviour.SHORT_OF_MONEY: 24,
    Behaviour.FORGETFUL: 14,
    Behaviour.LIMITED: 8,
    Behaviour.LOCKED: 6,
    Behaviour.DEFAULTER: 4,
    Behaviour.EARLY_RETURN: 12,
    Behaviour.DECLINED: 14,
    Behaviour.REFERRED: 8,
    Behaviour.CHANGES_MIND: 6,
}

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰萍飞鹏宇晨欣怡佳雪"
_AREAS = ("110105", "310104", "330106", "440305", "510107", "420106", "320106", "500112", "610113", "370102")
_STREETS = ("人民路", "解放路", "中山路", "建设路", "长江路", "和平街", "学院路", "文化路", "滨江道", "青年路")
_CITIES = {
    "110105": "北京市朝阳区",
    "310104": "上海市徐汇区",
    "330106": "浙江省杭州市西湖区",
    "440305": "广东省深圳市南山区",
    "510107": "四川省成都市武侯区",
    "420106": "湖北省武汉市武昌区",
    "320106": "江苏省南京市鼓楼区",
    "500112": "重庆市渝北区",
    "610113": "陕西省西安市雁塔区",
    "370102": "山东省济南市历下区",
}


@dataclass(frozen=True, slots=True)
class Customer:
    """One synthetic customer and the day of the application (counted from the demo's first day)."""

    number: int
    behaviour: Behaviour
    name: str
    identity_no: str
    phone: str
    address: str
    buyer_id: str
    applies_on_day: int
    score: int

    @property
    def is_first_tenant(self) -> bool:
        return self.number % 3 != 0


def customers(count: int, days: int, today: date) -> Sequence[Customer]:
    """``count`` customers spread over the first two thirds of ``days``; the same for the same arguments."""
    rng = _rng(0)
    kinds = [behaviour for behaviour, share in SHARES.items() for _ in range(share)]
    scale = count / len(kinds)
    chosen = [kinds[int(i / scale)] for i in range(count)]
    rng.shuffle(chosen)
    last_day = days * 2 // 3
    made = [_customer(rng, number, behaviour, last_day, today) for number, behaviour in enumerate(chosen)]
    return sorted(made, key=lambda customer: (customer.applies_on_day, customer.number))


def borrowers(first_number: int, applications: Sequence[tuple[Behaviour, int]], today: date) -> Sequence[Customer]:
    """Customers of the demo's financings, each with a behaviour and the day of the application; numbered from ``first_number``."""
    rng = _rng(first_number)
    return [
        replace(_customer(rng, number, behaviour, 0, today), applies_on_day=day)
        for number, (behaviour, day) in enumerate(applications, start=first_number)
    ]


def _rng(offset: int) -> Random:
    return Random(SEED + offset)  # noqa: S311 (not a secret)


def _customer(rng: Random, number: int, behaviour: Behaviour, last_day: int, today: date) -> Customer:
    area = rng.choice(_AREAS)
    born = today - timedelta(days=rng.randint(20 * 366, 55 * 365))
    first_17 = f"{area}{born:%Y%m%d}{rng.randint(1, 999):03d}"
    name = rng.choice(_SURNAMES) + "".join(rng.choice(_GIVEN) for _ in range(rng.choice((1, 2, 2))))
    return Customer(
        number=number,
        behaviour=behaviour,
        name=name,
        identity_no=first_17 + identity_no_check(first_17),
        phone=f"19{rng.randint(0, 9)}{number:04d}{rng.randint(0, 9999):04d}",
        address=f"{_CITIES[area]}{rng.choice(_STREETS)}{rng.randint(1, 300)}号{rng.randint(1, 30)}栋{rng.randint(101, 2808)}室",
        buyer_id=f"2088{number:012d}",
        applies_on_day=rng.randint(0, last_day),
        score=rng.randint(650, 820),
    )
