"""Assets 租赁物: the things that are rented out, as things: which serial is where, with whom, and in what condition it came back.

Owns the tables assets_asset (the register, by serial), assets_occupancy (which agreement holds an asset from when to when; an
exclusion constraint makes double occupancy impossible), assets_delivery (what must be brought to whom), assets_shipment and
assets_courier_notice (the courier's side), assets_inspection with assets_inspection_item, assets_warehouse (the sender), assets_book
(what each thing cost and what of it is depreciated) and assets_depreciation_policy (the owner's estimates).
Events out: AssetShipped, AssetHandedOver, AssetReturned, AssetInspected. Events in: AgreementSigned (what is to be delivered),
PaymentSucceeded (the first rent is in: deliver), AgreementCancelled (do not deliver), AmendmentMade and
OwnershipPassed (a rented thing is the lessee's).
Jobs: assets.book_courier (intent, call, outcome), assets.keep_books (taken in, depreciated by the month, left).

A serial is the company's own stock and no personal data; the recipient's name and address are read from parties on record, sent
to the courier, and kept sealed only until the courier has answered.
"""
