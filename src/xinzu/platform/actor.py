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
    EVIDENCE_READ = "evidence:read"
    EVENT_READ = "event:read"


_READS = frozenset(p for p in Permission if p.endswith(":read"))

ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission),
    "channel": _READS
    | {
        Permission.APPLICATION_WRITE,
        Permission.AGREEMENT_WRITE,
        Permission.PARTY_WRITE,
        # A customer pays arrears in the channel's app.
        Permission.PAYMENT_WRITE,
    },
    "risk": _READS | {Permission.DECISION_REVIEW},
    "finance": _READS | {Permission.BILLING_WRITE, Permission.PAYMENT_WRITE, Permission.LEDGER_CLOSE},
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
