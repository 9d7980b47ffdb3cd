"""Pure types every module speaks: money, time, ids, errors, events, states, paging. Standard library only, no I/O."""
