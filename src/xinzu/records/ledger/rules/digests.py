"""The fingerprint of a trial balance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from xinzu.records.ledger.model import TrialBalanceLine


def trial_balance_sha256(lines: Iterable[TrialBalanceLine]) -> str:
    """SHA-256, in hex, of the accounts on which something has moved: of each a line ``code debit_fen credit_fen`` ended by a line feed, by
    code. Debits and credits are all that has ever moved on them; an account that was only opened changes nothing.

    >>> from xinzu.records.ledger.model import Account, AccountType, Side
    >>> bank = Account("1002", "银行存款", "Bank", AccountType.ASSET, Side.DEBIT)
    >>> trial_balance_sha256([TrialBalanceLine(bank, 100, 0)]) == hashlib.sha256(b"1002 100 0\\n").hexdigest()
    True
    """
    moved = sorted((line.account.code, line.debit_fen, line.credit_fen) for line in lines if line.debit_fen or line.credit_fen)
    return hashlib.sha256("".join(f"{code} {debit} {credit}\n" for code, debit, credit in moved).encode()).hexdigest()
