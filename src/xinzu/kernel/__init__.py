"""Pure types every module speaks: money, time, ids, errors, events, states, paging, terms, prime rate. Standard library only, no I/O."""
