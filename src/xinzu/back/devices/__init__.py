"""Devices 设备: the terminals inside rented things, and what may be restricted on them, when, and on which ground.

Owns the tables devices_device (a terminal and its own public key), devices_binding (the agreement an asset's terminal serves, from when
to when), devices_shadow (desired and reported level), devices_command with devices_command_step (signed commands and every state they
reached), devices_notice (notices proven delivered), devices_hold (what stops escalation) and devices_signer (the tenant's keys).
Events out: RestrictionOrdered, RestrictionApplied, RestrictionRefused. Events in: AgreementCommenced (bind), MessageDelivered (a notice
arrived), RestrictionRequested (guard, then order), ArrearsCleared and CaseClosed (free at once), AssetInspected and AgreementEnded
(free and unbind).
Jobs: none; the gateway sends commands, takes reports, and closes the gap between desired and reported (``api.due_commands``,
``api.record_reports``, ``api.reconcile``).

A command is one row and one signature; the newest desired level supersedes every older command, so there is never a queue of locks.
"""
