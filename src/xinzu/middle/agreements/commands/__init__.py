"""Use cases of agreements, one file per part of their life."""
