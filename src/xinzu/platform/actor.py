"""Who acts: an operator, an API key, a customer, or the system itself. Roles are data; permissions are checked per route."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

NIL = UUID(int=0)


class ActorKind(StrEnum):
    OPERATOR = "operator"
    API_KEY = "api_key"
    SYSTEM = "system"


class Permission(StrEnum):
    """What a route asks for: noun and verb. A role is a set of these."""

    APPLICATION_READ = "application:read"
    APPLICATION_WRITE = "application:write"
    DECISION_READ = "decision:read"
    DECISION_REVIEW = "decision:review"
    # Who reviews at which level, and how fast.
    REVIEW_SET = "review:set"
    STRATEGY_READ = "strategy:read"
    STRATEGY_WRITE = "strategy:write"
    # Letting a strategy decide is for a second person beside its author: see the role risk_manager.
    STRATEGY_APPROVE = "strategy:approve"
    CATALOGUE_READ = "catalogue:read"
    CATALOGUE_WRITE = "catalogue:write"
    AGREEMENT_READ = "agreement:read"
    AGREEMENT_WRITE = "agreement:write"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    PAYMENT_READ = "payment:read"
    PAYMENT_WRITE = "payment:write"
    ASSET_READ = "asset:read"
    ASSET_WRITE = "asset:write"
    DEVICE_READ = "device:read"
    DEVICE_WRITE = "device:write"
    COLLECTION_READ = "collection:read"
    COLLECTION_WRITE = "collection:write"
    PARTY_READ = "party:read"
    PARTY_WRITE = "party:write"
    LEDGER_READ = "ledger:read"
    LEDGER_CLOSE = "ledger:close"
    # Opening what was closed is for whoever answers for the books, not for everybody who keeps them.
    LEDGER_REOPEN = "ledger:reopen"
    # That a report or a score is on file; what it says is opened under a permission of its own, and on record.
    CREDIT_READ = "credit:read"
    CREDIT_OPEN = "credit:open"
    CREDIT_WRITE = "credit:write"
    CREDIT_SET = "credit:set"
    # Relations and the grey and black lists. What is suspected of money is seen by few, because nobody may be warned (反洗钱法 art. 7): it is
    # no reading that everybody may.
    SCREENING_READ = "screening:read"
    SCREENING_WRITE = "screening:write"
    LAUNDERING_SEE = "laundering:see"
    LAUNDERING_DECIDE = "laundering:decide"
    LAUNDERING_RECORD = "laundering:record"
    EVIDENCE_READ = "evidence:read"
    EVENT_READ = "event:read"
    APPROVAL_READ = "approval:read"
    # Being somebody's second person; what was asked for is permitted on top. Setting the limits is for whoever answers for the business.
    APPROVAL_DECIDE = "approval:decide"
    APPROVAL_SET = "approval:set"


_READS = frozenset(p for p in Permission if p.endswith(":read"))

ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission),
    "channel": _READS
    | {
        Permission.APPLICATION_WRITE,
        Permission.AGREEMENT_WRITE,
        Permission.PARTY_WRITE,
        Permission.CREDIT_WRITE,
        # A customer pays arrears in the channel's app.
        Permission.PAYMENT_WRITE,
    },
    "risk": _READS
    | {
        Permission.DECISION_REVIEW,
        Permission.STRATEGY_WRITE,
        Permission.CREDIT_OPEN,
        Permission.CREDIT_WRITE,
        Permission.SCREENING_WRITE,
        Permission.APPROVAL_DECIDE,
    },
    "risk_manager": _READS
    | {
        Permission.DECISION_REVIEW,
        Permission.REVIEW_SET,
        Permission.STRATEGY_WRITE,
        Permission.STRATEGY_APPROVE,
        Permission.CREDIT_OPEN,
        Permission.CREDIT_WRITE,
        Permission.CREDIT_SET,
        Permission.SCREENING_WRITE,
        Permission.LAUNDERING_SEE,
        Permission.LAUNDERING_DECIDE,
        Permission.LAUNDERING_RECORD,
        Permission.APPROVAL_DECIDE,
    },
    "finance": _READS
    | {
        Permission.BILLING_WRITE,
        Permission.PAYMENT_WRITE,
        Permission.LEDGER_CLOSE,
        Permission.APPROVAL_DECIDE,
        Permission.LAUNDERING_RECORD,
    },
    "warehouse": _READS | {Permission.ASSET_WRITE, Permission.DEVICE_WRITE},
    "collector": _READS | {Permission.COLLECTION_WRITE},
    "viewer": _READS,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting identity as it is written beside every fact. ``name`` is a login or a job name, never a person's name."""

    kind: ActorKind
    name: str
    id: UUID = NIL
    permissions: frozenset[Permission] = frozenset()

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def system_actor(name: str) -> Actor:
    """The actor of a handler or a job: may do everything inside its tenant."""
    return Actor(ActorKind.SYSTEM, name, NIL, frozenset(Permission))


def permissions_of(roles: list[str] | tuple[str, ...]) -> frozenset[Permission]:
    """The union of the roles' permissions; an unknown role grants nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles)) if roles else frozenset()
