"""Which service is talked to, and who may see the token."""

import stat
from pathlib import Path

import pytest

from bmat.client import Client, SettingsError
from bmat.client.settings import Settings, load_settings, settings_path, write_file

AWAY = "https://bmat.example"


@pytest.fixture
def path(home: Path) -> Path:
    path = settings_path()
    path.parent.mkdir(parents=True)
    return path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def test_without_settings_it_is_the_service_of_this_machine() -> None:
    assert load_settings() == Settings("http://127.0.0.1:8000", "")


def test_what_is_written_is_for_its_owner_alone_and_read_again(path: Path) -> None:
    for settings in (Settings(AWAY, 'a"token'), Settings("http://10.0.0.1", "token", True)):
        assert write_file(settings) == path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert load_settings() == settings
    assert [each.name for each in path.parent.iterdir()] == ["client.toml"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    write(path, "", mode)
    with pytest.raises(SettingsError, match=f"has the mode {mode:o}.* Run: chmod 600 {path}"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("url", "is no TOML"),
        ('colour = "red"', "there is no 'colour'; there are url, token, insecure_http"),
        ("token = 7", "token is no str"),
        ('url = "ftp://bmat.example"', "is no address of a service"),
    ],
)
def test_it_says_what_is_wrong_with_a_file(path: Path, text: str, message: str) -> None:
    write(path, text)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_the_environment_wins_over_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, f'url = "{AWAY}"\ntoken = "of-the-file"')
    monkeypatch.setenv("BMAT_URL", "https://other.example/")
    monkeypatch.setenv("BMAT_TOKEN", "of-the-environment")
    assert load_settings() == Settings("https://other.example", "of-the-environment")
    assert load_settings("https://third.example").url == "https://third.example"


def test_a_token_of_the_file_goes_to_no_other_service(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, f'url = "{AWAY}"\ntoken = "of-the-file"')
    assert load_settings(f"{AWAY}/").token == "of-the-file"
    assert load_settings("https://other.example").token == ""
    monkeypatch.setenv("BMAT_URL", "https://other.example")
    assert load_settings().token == ""


@pytest.mark.parametrize(
    "url",
    [
        "bmat.example",
        "ftp://bmat.example",
        "https://",
        "https://h:99999",
        "https://h\n",
        "http://[",
    ],
)
def test_it_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(SettingsError, match="is no address of a service"):
        Settings(url)


def test_it_repeats_no_password_of_an_address() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings("https://alice:secret@bmat.example")
    assert "secret" not in str(refused.value)


def test_an_address_has_no_question() -> None:
    with pytest.raises(SettingsError, match="cut it"):
        Settings("https://bmat.example/?x=1")


@pytest.mark.parametrize("host", ["bmat.example", "10.0.0.1", "[2001:db8::1]"])
def test_a_token_is_not_sent_where_others_could_read_it(host: str) -> None:
    with pytest.raises(SettingsError, match="without TLS") as refused:
        Settings(f"http://{host}", "secret-token")
    assert "secret-token" not in str(refused.value)
    assert Settings(f"http://{host}", "secret-token", insecure_http=True).token
    assert Settings(f"http://{host}").token == ""


def test_a_password_is_not_sent_there_either() -> None:
    with Client("http://bmat.example") as client:
        with pytest.raises(SettingsError, match="A password is not sent"):
            client.login("alice", "secret")


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.1.2.3", "http://[::1]", AWAY])
def test_it_is_sent_within_this_machine_and_with_tls(url: str) -> None:
    assert Settings(url, "secret-token").token == "secret-token"


def test_a_token_shows_nowhere() -> None:
    assert "secret-token" not in repr(Settings(AWAY, "secret-token"))
    with pytest.raises(SettingsError, match="holds characters") as refused:
        Settings(AWAY, "secret token")
    assert "secret" not in str(refused.value)
