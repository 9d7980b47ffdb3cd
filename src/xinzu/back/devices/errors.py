"""Problems of devices."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, NotFound


class DeviceUnknown(NotFound):
    """No terminal of this tenant has the id."""

    code = "devices.device_unknown"
    title_zh = "没有这个终端"
    title_en = "There is no such device"


class DeviceEnrolled(Conflict):
    """The asset's terminal is enrolled and serves a running agreement; it is replaced only between rentals."""

    code = "devices.device_enrolled"
    title_zh = "该设备的终端已登记，且合同正在履行"
    title_en = "The asset has a device and an agreement runs on it"


class KeyTaken(Conflict):
    """Another terminal has this public key: a key belongs to one device."""

    code = "devices.key_taken"
    title_zh = "该公钥已被其他终端使用"
    title_en = "Another device has this public key"


class RestrictionNotAllowed(Conflict):
    """A guard refuses the level; ``reason`` says which."""

    code = "devices.restriction_not_allowed"
    title_zh = "不满足限制使用的法定条件"
    title_en = "The conditions for restricting the device are not met"


class NotBound(Conflict):
    """No agreement runs on the device."""

    code = "devices.not_bound"
    title_zh = "该终端没有正在履行的合同"
    title_en = "No agreement runs on this device"


class ReportRefused(ValueError):
    """A device's message that must not be believed; ``code`` says why. Not a problem of a caller: it is counted and dropped."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
