"""Agreements with lessees and borrowers: terms fixed, document rendered, accepted by one-time code, commenced, ended when settled.

A rental commences with the handover of its device; a finance lease or a loan when finance records what proves it (commencement).

Owns: agreements and their numbers (gapless per tenant and year), identity checks of signers, contract documents, one-time codes, acceptances.
Tables: agreements_counter, agreements_agreement, agreements_identity_check, agreements_document, agreements_code, agreements_acceptance.
Events out: AgreementDrafted, DocumentRendered, AgreementSigned, AgreementCommenced, AgreementCancelled, AgreementEnded.
Events in: ApplicationApproved, ApplicationCancelled (applications); AssetHandedOver (assets); AccountSettled, LesseeTransferred (billing).
Jobs: agreements.prepare_documents (asked for with each batch of drafts), agreements.prepare_due_documents (every minute, what is left).
Provider: an identity register under the signed HTTP contract (``XINZU_IDENTITY_URL``, ``XINZU_IDENTITY_KEY``).
"""
