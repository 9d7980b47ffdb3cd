"""Applications 进件: what a customer asks for, from the first click to the end of the agreement that came of it.

Owns the table applications_application (state, frozen terms, sealed delivery address).
Events out: ApplicationSubmitted, ApplicationReferred, ApplicationApproved, ApplicationDeclined, ApplicationCancelled,
HumanReviewRequested. Events in: DecisionMade; AgreementDrafted, AgreementSigned, AgreementCancelled, AgreementEnded; ConsentWithdrawn
(an open application is stopped, and the withdrawal becomes evidence); MessageDelivered (a delivered notice becomes evidence).
Jobs: none.
"""
