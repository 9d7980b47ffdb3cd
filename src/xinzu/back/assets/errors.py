"""Problems of assets."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, NotFound, Unauthenticated


class AssetUnknown(NotFound):
    """No asset of this tenant has the id or serial."""

    code = "assets.asset_unknown"
    title_zh = "没有这台设备"
    title_en = "There is no such asset"


class SerialTaken(Conflict):
    """The serial is registered already; one thing is one asset."""

    code = "assets.serial_taken"
    title_zh = "序列号已登记"
    title_en = "The serial is registered already"


class AssetNotAvailable(Conflict):
    """The asset is not in stock: somebody else has or reserved it."""

    code = "assets.not_available"
    title_zh = "设备不在库，请另选一台"
    title_en = "The asset is not in stock: pick another"


class WrongProduct(Conflict):
    """The picked asset is not of the product the agreement is for."""

    code = "assets.wrong_product"
    title_zh = "设备型号与合同不符，请选择合同约定的产品"
    title_en = "The asset is not of the agreed product: pick one that is"


class WrongSerial(Conflict):
    """Another asset than the named one was shipped for this agreement."""

    code = "assets.wrong_serial"
    title_zh = "序列号与已发出的设备不一致，请核对"
    title_en = "Another asset was shipped for this agreement: check the serial"


class DeliveryUnknown(NotFound):
    """Nothing is to be delivered for this agreement (it is not signed, or is another tenant's)."""

    code = "assets.delivery_unknown"
    title_zh = "该合同没有待交付的设备"
    title_en = "There is nothing to deliver for this agreement"


class DeliveryNotReady(Conflict):
    """The first rent is not in yet, or the signed terms have not arrived: nothing may leave the house."""

    code = "assets.delivery_not_ready"
    title_zh = "合同未签署或首期租金未到账，暂不能交付"
    title_en = "The agreement is not signed or the first rent is not paid: nothing can be delivered yet"


class ShipmentUnknown(NotFound):
    """The courier tells of a parcel that is not ours."""

    code = "assets.shipment_unknown"
    title_zh = "没有这个运单"
    title_en = "There is no such shipment"


class InspectionUnknown(NotFound):
    """No inspection of this tenant has the id."""

    code = "assets.inspection_unknown"
    title_zh = "没有这次验机"
    title_en = "There is no such inspection"


class NotInspectable(Conflict):
    """The asset was not returned, so there is nothing to inspect."""

    code = "assets.not_inspectable"
    title_zh = "设备尚未归还，不能验机"
    title_en = "The asset has not been returned: receive it first"


class ChargeWithoutLessee(Conflict):
    """Damage was charged on an asset that no lessee had: a parcel that came back unopened."""

    code = "assets.charge_without_lessee"
    title_zh = "该设备未曾交付承租人，不能向其收取损坏费用"
    title_en = "No lessee had this asset: nobody can be charged for its damage"


class WarehouseUnset(Conflict):
    """A courier needs a sender."""

    code = "assets.warehouse_unset"
    title_zh = "请先设置发货仓库（PUT /v1/assets/warehouse）"
    title_en = "Set the warehouse that sends first (PUT /v1/assets/warehouse)"


class NotInBooks(NotFound):
    """The asset is unknown, or was registered so recently that the books have not taken it in yet."""

    code = "assets.not_in_books"
    title_zh = "该设备尚未入账，请稍后再查"
    title_en = "The asset is not in the books yet: ask again later"


class CallbackRefused(Unauthenticated):
    """A courier's callback whose signature does not hold."""

    code = "assets.callback_refused"
    title_zh = "回调签名无效"
    title_en = "The callback's signature is not accepted"
