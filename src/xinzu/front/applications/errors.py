"""Problems of applications."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Invalid, NotFound


class ApplicationUnknown(NotFound):
    """No application of this tenant has the id."""

    code = "applications.application_unknown"
    title_zh = "没有该申请"
    title_en = "There is no such application"


class ConsentsIncomplete(Invalid):
    """A mandatory consent is missing: nothing of the applicant's data may be taken in (PIPL arts. 13, 14, 29)."""

    code = "applications.consents_incomplete"
    title_zh = "缺少必要的单独同意"
    title_en = "A mandatory separate consent is missing"


class AddressFixed(Conflict):
    """The application was decided on or is being reviewed: its delivery address stays."""

    code = "applications.address_fixed"
    title_zh = "收货地址不可再修改"
    title_en = "The delivery address can no longer change"


class NothingToReview(Conflict):
    """Human review is for an application that was declined automatically and not yet reviewed."""

    code = "applications.nothing_to_review"
    title_zh = "没有可申请人工复核的自动决定"
    title_en = "There is no automated decline to review"
