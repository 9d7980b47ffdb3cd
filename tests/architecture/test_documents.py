"""Generated pages say what the code says."""

from __future__ import annotations

from pathlib import Path

from xinzu.app.reference import pages

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_the_generated_reference_has_not_drifted() -> None:
    wanted = pages()
    found = {
        str(path.relative_to(REFERENCE)): path.read_text(encoding="utf-8") for path in REFERENCE.rglob("*") if path.is_file()
    }
    assert sorted(found) == sorted(wanted), "run `make docs`"
    assert [name for name in wanted if wanted[name] != found[name]] == [], "run `make docs`"
