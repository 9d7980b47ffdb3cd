"""PIM, PMM, PRM, POM: the person, marriage, residences, jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from xinzu.middle.credit.rules.pboc.fields import code, count, day, many, one, text


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicPerson:
    """PB01A. The order of tags is the interface's own: addresses and nationality stand between the codes."""

    sex: str | None = code("PB01AD01", "性别")
    born_on: date | None = day("PB01AR01", "出生日期")
    education: str | None = code("PB01AD02", "学历")
    degree: str | None = code("PB01AD03", "学位")
    employment: str | None = code("PB01AD04", "就业状况")
    email: str | None = text("PB01AQ01", "电子邮箱")
    postal_address: str | None = text("PB01AQ02", "通讯地址")
    nationality: str | None = code("PB01AD05", "国籍")
    registered_address: str | None = text("PB01AQ03", "户籍地址")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mobile:
    phone: str | None = text("PB01BQ01", "手机号码")
    updated_on: date | None = day("PB01BR01", "信息更新日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mobiles:
    """PB01B."""

    mobiles_count: int | None = count("PB01BS01", "手机号码个数")
    mobiles: tuple[Mobile, ...] = many("PB01BH", Mobile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """PB01 身份信息."""

    basic: BasicPerson | None = one("PB01A", BasicPerson)
    mobiles: Mobiles | None = one("PB01B", Mobiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marriage:
    """PB02 婚姻信息."""

    status: str | None = code("PB020D01", "婚姻状况")
    spouse_name: str | None = text("PB020Q01", "配偶姓名")
    spouse_id_type: str | None = code("PB020D02", "配偶证件类型")
    spouse_id_no: str | None = text("PB020I01", "配偶证件号码")
    spouse_employer: str | None = text("PB020Q02", "配偶工作单位")
    spouse_phone: str | None = text("PB020Q03", "配偶联系电话")


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """PB03 居住信息."""

    kind: str | None = code("PB030D01", "居住状况")
    address: str | None = text("PB030Q01", "居住地址")
    phone: str | None = text("PB030Q02", "住宅电话")
    updated_on: date | None = day("PB030R01", "信息更新日期")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """PB04 职业信息."""

    employment: str | None = code("PB040D01", "就业状况")
    employer: str | None = text("PB040Q01", "工作单位")
    employer_kind: str | None = code("PB040D02", "单位性质")
    industry: str | None = code("PB040D03", "行业")
    employer_address: str | None = text("PB040Q02", "单位地址")
    employer_phone: str | None = text("PB040Q03", "单位电话")
    occupation: str | None = code("PB040D04", "职业")
    position: str | None = code("PB040D05", "职务")
    title: str | None = code("PB040D06", "职称")
    since_year: str | None = text("PB040R01", "进入本单位年份")
    updated_on: date | None = day("PB040R02", "信息更新日期")
