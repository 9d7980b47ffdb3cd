"""The report of the nodes."""

from __future__ import annotations

from dataclasses import dataclass

from xinzu.middle.credit.rules.pboc.fields import many, one
from xinzu.middle.credit.rules.pboc.nodes.account import Account
from xinzu.middle.credit.rules.pboc.nodes.header import Header
from xinzu.middle.credit.rules.pboc.nodes.person import Job, Marriage, Person, Residence
from xinzu.middle.credit.rules.pboc.nodes.records import (
    Allowance,
    Award,
    CreditLine,
    Enforcement,
    HousingFund,
    Judgment,
    Liability,
    OtherNote,
    Penalty,
    Postpaid,
    Qualification,
    Query,
    TaxArrears,
)
from xinzu.middle.credit.rules.pboc.nodes.summaries import CreditSummary, PostpaidSummary, PublicSummary, QuerySummary, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalReport:
    """The whole report."""

    header: Header = one("PRH/PA01", Header, is_required=True)
    person: Person | None = one("PIM/PB01", Person)
    marriage: Marriage | None = one("PMM/PB02", Marriage)
    residences: tuple[Residence, ...] = many("PRM/PB03", Residence)
    jobs: tuple[Job, ...] = many("POM/PB04", Job)
    score: Score | None = one("PSM/PC01", Score)
    summary: CreditSummary | None = one("PCO/PC02", CreditSummary)
    postpaid_summary: PostpaidSummary | None = one("PNO/PC03", PostpaidSummary)
    public_summary: PublicSummary | None = one("PPO/PC04", PublicSummary)
    query_summary: QuerySummary | None = one("PQO/PC05", QuerySummary)
    accounts: tuple[Account, ...] = many("PDA/PD01", Account)
    credit_lines: tuple[CreditLine, ...] = many("PCA/PD02", CreditLine)
    liabilities: tuple[Liability, ...] = many("PCR/PD03", Liability)
    postpaid: tuple[Postpaid, ...] = many("PND/PE01", Postpaid)
    tax_arrears: tuple[TaxArrears, ...] = many("POT/PF01", TaxArrears)
    judgments: tuple[Judgment, ...] = many("PCJ/PF02", Judgment)
    enforcements: tuple[Enforcement, ...] = many("PCE/PF03", Enforcement)
    penalties: tuple[Penalty, ...] = many("PAP/PF04", Penalty)
    housing_funds: tuple[HousingFund, ...] = many("PHF/PF05", HousingFund)
    allowances: tuple[Allowance, ...] = many("PBS/PF06", Allowance)
    qualifications: tuple[Qualification, ...] = many("PPQ/PF07", Qualification)
    awards: tuple[Award, ...] = many("PAH/PF08", Award)
    other_notes: tuple[OtherNote, ...] = many("POS/PG01", OtherNote)
    queries: tuple[Query, ...] = many("POQ/PH01", Query)
