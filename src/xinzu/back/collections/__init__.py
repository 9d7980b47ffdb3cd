"""Collections 催收: overdue agreements worked as cases inside the law: remind, give notice, only then ask for a restriction. What is
financed has no device of ours: after the reminder comes the demand for payment (催告函) that an acceleration names.

Owns the tables collections_agreement (number and family), collections_case, collections_step (each reminder, notice, demand and
requested restriction), collections_hold, collections_clearance (when arrears were last cleared) and collections_policy.
Events in: AgreementSigned, ArrearsAged, ArrearsCleared, AccountSettled, LesseeTransferred, MessageDelivered,
MessageFailed, RestrictionRefused.
Events out: CaseOpened, CaseClosed, RestrictionRequested. Jobs: each minute collections.carry_out_steps.

Only the debtor is ever addressed, in the hours and as often as ``rules.contact_limits`` allows; a tenant may only be stricter.
"""
