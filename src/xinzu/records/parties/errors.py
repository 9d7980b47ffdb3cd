"""Problems of people, consents and messages."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class PartyUnknown(NotFound):
    """No person of this tenant has the id."""

    code = "parties.party_unknown"
    title_zh = "没有该当事人"
    title_en = "There is no such party"


class NameDiffers(Invalid):
    """The identity number is on file under another name: one of the two is wrong, and we must not guess which."""

    code = "parties.name_differs"
    title_zh = "姓名与该身份证号的登记姓名不符"
    title_en = "The name is not the one on file for this identity number"


class PhoneDiffers(Conflict):
    """The identity number is on file with another phone. Taking the new one silently would send a stranger's codes and notices there."""

    code = "parties.phone_differs"
    title_zh = "该身份证号已登记另一手机号"
    title_en = "Another phone is on file for this identity number"


class ConsentMissing(Forbidden):
    """There is no consent in force for the purpose (PIPL arts. 13, 14, 29)."""

    code = "parties.consent_missing"
    title_zh = "缺少当事人对该用途的同意"
    title_en = "The person has not consented to this purpose"


class ConsentUnknown(NotFound):
    """There is no consent in force that could be withdrawn."""

    code = "parties.consent_unknown"
    title_zh = "没有可撤回的同意"
    title_en = "There is no consent to withdraw"


class MessageUnknown(NotFound):
    """A callback names a message that was never sent from here."""

    code = "parties.message_unknown"
    title_zh = "没有该消息"
    title_en = "There is no such message"


class CallbackRefused(Unauthenticated):
    """A callback whose signature does not hold. Nothing is written."""

    code = "parties.callback_refused"
    title_zh = "回调签名无效"
    title_en = "The callback's signature does not hold"


class CallbackReplayed(Conflict):
    """A callback under a nonce that was seen before. Nothing is written."""

    code = "parties.callback_replayed"
    title_zh = "重复的回调"
    title_en = "This callback was received before"
