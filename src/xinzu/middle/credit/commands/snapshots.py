"""What is known of applicants at the moment of their decision, and the same again from the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from xinzu.kernel.time import Instant
from xinzu.middle.credit.commands.facts import narrowed
from xinzu.middle.credit.commands.reports import latest_reports
from xinzu.middle.credit.definitions import catalogue_sha256, computed
from xinzu.middle.credit.model import (
    Applicant,
    EntityKind,
    Fact,
    FactKind,
    Given,
    IndicatorValue,
    Known,
    ReportFacts,
    Snapshot,
    Status,
    Value,
)
from xinzu.middle.credit.rules.given import first_number, given_values, value_fen
from xinzu.middle.credit.rules.keys import keys_of
from xinzu.middle.credit.rules.values import derived, digest, judged
from xinzu.middle.credit.store import facts as facts_store
from xinzu.middle.credit.store import indicators as store
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.parties import api as parties

_KEY_COLUMN = "credit_fact.entity_key"


async def take_snapshots(uow: UnitOfWork, applicants: Sequence[Applicant]) -> dict[UUID, Snapshot]:
    """Compute every indicator of a batch of applications as of now, keep the snapshots, and put the applications on file as facts.

    By application; those without consent to automated decisions have none (nothing of them is looked at), nor those on file already.
    The facts are written after the looking, in the transaction of the decision: so no application counts itself, and none is decided
    without those decided before it. Applications of one batch do not count one another.
    """
    known_already = await facts_store.on_file(uow, [each.application_id for each in applicants])
    fresh = [each for each in applicants if each.application_id not in known_already]
    if not fresh:
        return {}
    records = await parties.blind_phones(uow, [each.party_id for each in fresh])
    reports = await latest_reports(uow, [each.party_id for each in fresh if each.has_consented], uow.now)
    known = {}
    for each in fresh:
        phone_key, registered_at = records.get(each.party_id, (None, None))
        given = given_values(each, computed(), registered_at, uow.now, uow.calendar) if each.has_consented else {}
        if (report := reports.get(each.party_id)) is not None:
            given |= {key: value for key, value in report.values.items() if key in given}
        known[each.application_id] = Known(each.application_id, each.party_id, keys_of(each, phone_key, _keyed(uow)), given)
    snapshots = await _snapshots(uow, [known[each.application_id] for each in fresh if each.has_consented], reports)
    if snapshots:
        await store.insert_snapshots(uow, list(snapshots.values()), catalogue_sha256())
    await facts_store.insert_applicants(
        uow, [(known[each.application_id], value_fen(each), first_number(each.terms)) for each in fresh]
    )
    await facts_store.insert_facts(uow, [_applied(known[each.application_id], each, uow.now) for each in fresh])
    return snapshots


async def computed_again(read: ReadSession, begin: Instant, until: Instant) -> dict[UUID, dict[str, Value]]:
    """Every indicator of the applications put to a decision from ``begin`` to before ``until``, computed from the facts as of each one's
    own instant: what was known then, whatever came since. For checks of kept snapshots and for strategies tried on history."""
    given = await facts_store.given_between(read, begin, until)
    counted = await store.over_history(read, begin, until)
    return {
        application_id: {key: value.value for key, value in _values(counted.get(application_id, {}), said, {}, None).items()}
        for application_id, said in given.items()
        if said
    }


async def _snapshots(read: ReadSession, known: Sequence[Known], reports: Mapping[UUID, ReportFacts]) -> dict[UUID, Snapshot]:
    if not known:
        return {}
    started_ns = time.perf_counter_ns()
    numbers, times = await store.online(read, known)
    values = {
        each.application_id: _values(
            numbers[each.application_id], each.given, times[each.application_id], reports.get(each.party_id)
        )
        for each in known
    }
    duration_us = (time.perf_counter_ns() - started_ns) // 1000
    return {
        application_id: Snapshot(application_id, read.now, catalogue_sha256(), found, digest(found), duration_us)
        for application_id, found in values.items()
    }


def _values(
    numbers: Mapping[str, Mapping[str, int | None]],
    given: Mapping[str, Value],
    times: Mapping[str, Instant],
    report: ReportFacts | None,
) -> dict[str, IndicatorValue]:
    found = {}
    for key, definition in computed().items():
        raw = given.get(key) if definition.of is None else derived(definition, numbers[key])
        value, status = judged(definition, raw)
        observed_at = times.get(key)
        if definition.given is Given.REPORT and report is not None:
            observed_at = report.report.reported_at
            status = status if report.not_used is None else Status.NOT_USED
        found[key] = IndicatorValue(value, status, observed_at)
    return found


def _applied(known: Known, applicant: Applicant, at: Instant) -> Fact:
    """The application as a fact. The keys stand in its attributes too: how many different ones is asked of each."""
    own = {
        str(kind): known.keys[kind] for kind in (EntityKind.PHONE, EntityKind.ADDRESS, EntityKind.DEVICE) if kind in known.keys
    }
    return Fact(
        kind=FactKind.APPLIED,
        subject_id=applicant.application_id,
        keys=narrowed(FactKind.APPLIED, known.keys),
        occurred_at=at,
        attributes={"party": str(applicant.party_id), "channel": applicant.channel, "value_fen": value_fen(applicant), **own},
    )


def _keyed(uow: UnitOfWork) -> Callable[[EntityKind, str], str]:
    """A channel's digest under the tenant's own key, so that what stands here cannot be matched with anybody else's."""
    return lambda kind, said: uow.vault.blind(f"{_KEY_COLUMN}:{kind}", said).hex()
