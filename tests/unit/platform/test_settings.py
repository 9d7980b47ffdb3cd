"""Settings: environment names, defaults, secrets that do not show."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from xinzu.platform.settings import Settings, base_url, load_settings


def test_variables_override_defaults_and_empty_ones_count_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XINZU_HOME", str(tmp_path))
    monkeypatch.setenv("XINZU_HTTP_PORT", "9000")
    monkeypatch.setenv("XINZU_DATABASE_URL", "")
    settings = load_settings()
    assert (settings.home, settings.http_port, settings.database_url) == (tmp_path, 9000, None)


def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZU_DATABASE_URL", "postgresql://u:topsecret@h/db")
    assert "topsecret" not in repr(load_settings())


def test_a_wrong_value_is_named_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XINZU_HTTP_PORT", "topsecret")
    with pytest.raises(ValidationError, match="http_port") as wrong:
        load_settings()
    assert "topsecret" not in str(wrong.value)


def test_every_field_is_described() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


def test_the_home_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(home=Path("here")).home == tmp_path / "here"


def test_the_public_address_wins_over_the_chosen_port() -> None:
    assert base_url(Settings(http_host="0.0.0.0"), 8701) == "http://127.0.0.1:8701"
    assert base_url(Settings(public_base_url="https://rent.example/"), 8701) == "https://rent.example"
