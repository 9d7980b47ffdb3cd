"""Screens people and money: who is related to whom, who is on a list, which money is to be reported.

Owns: relations between parties by what they share (a device, a phone, an address, a contact, an account, a network), as keyed digests;
orders as far as they tell of cash-out rentals (租机套现); grey and black lists; sanctions and watch lists and who is like somebody on them;
money movements, and alerts with what a person decided about them (反洗钱法 2024, in force 2025-01-01).
Tables: screening_party, screening_link, screening_order, screening_address, screening_list_entry, screening_watch_list, screening_watch_entry,
screening_watch_key, screening_movement, screening_alert.
Events out: ListEntryAdded, ListEntryRemoved, AlertRaised, AlertDecided.
Events in: ApplicationApproved, ApplicationCancelled (applications); DecisionMade (decisions);
AgreementSigned, AgreementCommenced, AgreementEnded (agreements); ArrearsAged, ArrearsCleared, AccountWrittenOff, ReceiptAllocated,
RefundRecorded (billing).
Jobs: screening.screen_parties.

An application is put on file by the decision on it (``api.screen_applications``), in its transaction: so none is decided before it is
related, whichever subscriber hears it first. For the same reason applications asks (``api.readdress_applications``) before an address is
changed: what was decided on is what is shipped.
"""
