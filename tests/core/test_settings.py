"""Settings: the environment wins over the file, secrets stay hidden, and a mistake is told where it was made."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.log import log_to, masked
from core.settings import config_file, described, load_settings

WEBHOOK = "https://hooks.slack.com/services/T0123/B0456/topsecretwebhook"


def write(home: Path, text: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(text)


def test_without_anything_set_there_are_quiet_defaults(own_home: Path) -> None:
    settings = load_settings()

    assert settings.store == str(own_home / "tocsin.db")
    assert settings.collector == "127.0.0.1:8765"
    assert settings.slack_hosts == ("hooks.slack.com", "hooks.slack-gov.com")
    assert settings.smtp_url is None
    assert settings.data_dir == settings.config_dir == settings.log_dir == own_home


def test_the_folders_are_the_platforms_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TOCSIN_HOME")
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))

    settings = load_settings()

    assert {settings.data_dir.name, settings.config_dir.name} == {"tocsin"}
    assert settings.data_dir != settings.config_dir


def test_what_is_passed_wins_over_the_environment_and_that_over_the_file(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own_home, 'store = "file.db"\nmember = "file@example.com"\nsmtp_from = "file@example.com"\n')
    monkeypatch.setenv("TOCSIN_STORE", "environment.db")
    monkeypatch.setenv("TOCSIN_MEMBER", "environment@example.com")

    settings = load_settings(store="passed.db", member=None)

    assert (settings.store, settings.member) == ("passed.db", "environment@example.com")
    assert settings.smtp_from == "file@example.com"


def test_slack_hosts_are_a_comma_list_or_a_list_in_the_file(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(own_home, 'slack_hosts = ["Hooks.Example.com"]\n')
    from_file = load_settings().slack_hosts
    monkeypatch.setenv("TOCSIN_SLACK_HOSTS", "127.0.0.1:8080, hooks.slack.com")

    assert from_file == ("hooks.example.com",)
    assert load_settings().slack_hosts == ("127.0.0.1:8080", "hooks.slack.com")


def test_an_unknown_key_is_told_with_its_file(own_home: Path) -> None:
    write(own_home, 'smtp_ulr = "smtp://mail"\n')

    with pytest.raises(InvalidInput, match=r"config\.toml sets smtp_ulr, which is no setting"):
        load_settings()


def test_a_bad_value_in_the_file_is_told_with_its_key_and_file(own_home: Path) -> None:
    write(own_home, 'collector = "nowhere"\n')

    with pytest.raises(InvalidInput, match=r"The setting collector in .*config\.toml is not acceptable: an address"):
        load_settings()


@pytest.mark.parametrize(("key", "value"), [
    ("member", "5"), ("smtp_url", "topsecret = 1"), ("segment_token", "[1]"), ("slack_hosts", "7"), ("store", "true")])
def test_a_value_of_another_kind_in_the_file_is_told_with_its_key(own_home: Path, key: str, value: str) -> None:
    write(own_home, f"{key} = {{ {value} }}\n" if "=" in value else f"{key} = {value}\n")

    with pytest.raises(InvalidInput, match=rf"The setting {key} in .*config\.toml is not acceptable: it is a") as told:
        load_settings()
    assert "topsecret" not in str(told.value)


def test_a_bad_value_in_the_environment_is_told_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_COLLECTOR", "127.0.0.1:99999")

    with pytest.raises(InvalidInput, match="The environment variable TOCSIN_COLLECTOR is not acceptable"):
        load_settings()


@pytest.mark.parametrize("content", [b"store = ", b"store = '\xff'", b"= 3"])
def test_a_file_that_is_not_toml_is_told(own_home: Path, content: bytes) -> None:
    own_home.mkdir(parents=True)
    config_file().write_bytes(content)

    with pytest.raises(InvalidInput, match=r"config\.toml is not valid TOML"):
        load_settings()


def test_no_secret_is_in_a_representation_a_complaint_or_a_description(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own_home, 'segment_token = "topsecrettoken"\n')
    monkeypatch.setenv("TOCSIN_SMTP_URL", "smtp://ada:topsecretmail@mail.example.com:587")
    monkeypatch.setenv("TOCSIN_STORE", "postgresql://ada:topsecretstore@db.example.com/tocsin")

    settings = load_settings()
    rows = described(settings)

    assert "topsecret" not in repr(settings)
    assert "topsecret" not in str(rows)
    assert ("TOCSIN_SMTP_URL", "smtp://ada:••••@mail.example.com:587", "environment") in rows
    assert ("TOCSIN_SEGMENT_TOKEN", "••••", str(config_file())) in rows
    assert ("TOCSIN_COLLECTOR", "127.0.0.1:8765", "default") in rows


@pytest.mark.parametrize("line", [
    f"POST {WEBHOOK} answered 404",
    "could not log in to smtp://ada:topsecretmail@mail.example.com:587",
    "headers: {'Authorization': 'Bearer topsecrettoken'}",
    "Authorization: Basic topsecretkey",
    "https://hooks.slack.com/triggers/T1/2/topsecretworkflow and https://hooks.slack.com/workflows/topsecret",
    "postgresql+psycopg://ada:topsecret@db/tocsin",
])
def test_the_log_masks_secrets(line: str) -> None:
    assert "topsecret" not in masked(line)


def test_the_log_is_its_owners_only_and_masks_tracebacks_too(tmp_path: Path) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        path = log_to(tmp_path / "log")
        try:
            raise RuntimeError(f"no answer from {WEBHOOK}")
        except RuntimeError:
            logging.getLogger("test").exception("sending to %s", WEBHOOK)
        logging.getLogger("httpx").info("HTTP Request: POST %s", WEBHOOK)
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers, root.level = handlers, level

    written = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "RuntimeError: no answer from https://hooks.slack.com/services/••••" in written
    assert "topsecret" not in written
    assert "HTTP Request" not in written
