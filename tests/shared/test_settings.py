"""Settings come from the environment, and an unsafe one stops the start."""

import pytest

from shared.settings import Settings, SettingsRefused


@pytest.mark.parametrize(
    ("text", "hosts"),
    [("", []), ("a.gov.cn", ["a.gov.cn"]), ("a.gov.cn, b.gov.cn,", ["a.gov.cn", "b.gov.cn"])],
)
def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch, text: str, hosts: list[str]) -> None:
    monkeypatch.setenv("FANGPIN_WEBHOOK_ALLOWED_HOSTS", text)
    assert Settings().webhook_allowed_hosts == hosts


def test_a_service_has_its_own_database_or_the_common_one() -> None:
    settings = Settings(database_url="postgresql://common/x", intake_database_url="postgresql://own/x")
    assert settings.database_url_of("intake") == "postgresql://own/x"
    assert settings.database_url_of("alerts") == "postgresql://common/x"


def test_without_a_database_nothing_starts() -> None:
    with pytest.raises(SettingsRefused, match="FANGPIN_DATABASE_URL"):
        Settings(database_url=None).database_url_of("intake")


def test_the_password_of_the_mail_server_shows_in_no_text() -> None:
    assert "hunter2" not in repr(Settings(smtp_password="hunter2"))


def test_nothing_is_for_demonstrations_by_default() -> None:
    settings = Settings()
    assert (settings.demo, settings.host, settings.webhook_allowed_hosts) == (False, "127.0.0.1", [])


def test_settings_cannot_change_under_way() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().demo = True
