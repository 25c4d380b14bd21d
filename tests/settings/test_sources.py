"""Where a setting comes from, and which source wins."""

from pathlib import Path

import platformdirs
import pytest

from monitor.errors import SettingsError
from monitor.settings import Settings, unknown_variables


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    """Everything works without a single setting."""
    assert Settings.load({}, tmp_path) == Settings()


def test_the_default_home_is_the_users_data_directory(tmp_path: Path) -> None:
    """Where programs of this system keep their data."""
    assert Settings.load({}, tmp_path).home == Path(platformdirs.user_data_dir("openai-monitor", appauthor=False))


def test_what_is_given_wins_over_variables_over_files_over_defaults(tmp_path: Path) -> None:
    """Four sources, each beats those after it."""
    _write(tmp_path / "monitor.toml", 'service = "file"\nenvironment = "file"\nport = 1\n')
    environ = {"MONITOR_SERVICE": "variable", "MONITOR_ENVIRONMENT": "variable"}
    found = Settings.load(environ, tmp_path, service="given", environment=None)

    assert (found.service, found.environment, found.port, found.host) == ("given", "variable", 1, "127.0.0.1")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """Compose files set many of them."""
    _write(tmp_path / "monitor.toml", 'service = "file"\n')

    assert Settings.load({"MONITOR_SERVICE": ""}, tmp_path).service == "file"


def test_our_own_variable_wins_over_the_one_of_opentelemetry(tmp_path: Path) -> None:
    """Which is taken where ours is not set."""
    theirs = {"OTEL_SERVICE_NAME": "theirs"}

    assert Settings.load(theirs, tmp_path).service == "theirs"
    assert Settings.load(theirs | {"MONITOR_SERVICE": "ours"}, tmp_path).service == "ours"


def test_the_nearest_file_is_found_upwards(tmp_path: Path) -> None:
    """From the working directory to the root; only one is read."""
    _write(tmp_path / "monitor.toml", 'service = "far"\nenvironment = "far"\n')
    _write(tmp_path / "a" / "monitor.toml", 'service = "near"\n')
    below = tmp_path / "a" / "b" / "c"
    below.mkdir(parents=True)
    found = Settings.load({}, below)

    assert (found.service, found.environment) == ("near", None)


def test_monitor_toml_wins_over_pyproject_beside_it(tmp_path: Path) -> None:
    """A file of our own is meant for us."""
    _write(tmp_path / "monitor.toml", 'service = "own"\n')
    _write(tmp_path / "pyproject.toml", '[tool.openai-monitor]\nservice = "project"\n')

    assert Settings.load({}, tmp_path).service == "own"


def test_pyproject_is_read_where_it_has_our_table(tmp_path: Path) -> None:
    """One without it is passed over, further up."""
    _write(tmp_path / "pyproject.toml", '[tool.openai-monitor]\nservice = "project"\nsegment-size = "8MiB"\n')
    _write(tmp_path / "a" / "pyproject.toml", "[tool.other]\nx = 1\n")
    found = Settings.load({}, tmp_path / "a")

    assert (found.service, found.segment_size) == ("project", 8 * 2**20)


@pytest.mark.parametrize("text", ["tool = 1\n", "[tool]\nopenai-monitor = 1\n", "not toml at all", "\ufeff\x00"])
def test_somebody_elses_odd_pyproject_is_passed_over(tmp_path: Path, text: str) -> None:
    """It is not ours to complain about."""
    _write(tmp_path / "pyproject.toml", text)

    assert Settings.load({}, tmp_path) == Settings()


def test_a_broken_file_of_our_own_is_a_fault(tmp_path: Path) -> None:
    """With its name and the place in it."""
    _write(tmp_path / "monitor.toml", "service = \n")

    with pytest.raises(SettingsError, match=r"monitor\.toml is not valid TOML: .*line 1"):
        Settings.load({}, tmp_path)


def test_a_directory_of_that_name_is_passed_over(tmp_path: Path) -> None:
    """Only a file can be read."""
    (tmp_path / "monitor.toml").mkdir()

    assert Settings.load({}, tmp_path) == Settings()


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Each with its origin, its value and what it must be."""
    file = tmp_path / "monitor.toml"
    _write(file, 'prot = 8501\ntime_zone = "Mars/Olympus"\n')
    environ = {"MONITOR_PORT": "http", "MONITOR_ENABLED": "maybe"}

    with pytest.raises(SettingsError) as caught:
        Settings.load(environ, tmp_path)
    told = sorted(str(caught.value).splitlines())
    assert told == sorted(
        [
            f"prot in {file} is not a setting; the settings are listed in docs/settings.md.",
            f"time_zone in {file} is 'Mars/Olympus', but it must be an IANA time zone such as UTC or Europe/Berlin.",
            "MONITOR_PORT is 'http', but it must be a whole number from 0 to 65535.",
            "MONITOR_ENABLED is 'maybe', but it must be true or false.",
        ]
    )


def test_a_fault_in_a_value_that_another_source_beats_is_not_told(tmp_path: Path) -> None:
    """It is never used."""
    _write(tmp_path / "monitor.toml", 'port = "http"\n')

    assert Settings.load({"MONITOR_PORT": "80"}, tmp_path).port == 80


def test_a_fault_in_the_mail_server_does_not_show_its_password(tmp_path: Path) -> None:
    """Messages end in logs."""
    with pytest.raises(SettingsError) as caught:
        Settings.load({"MONITOR_SMTP_URL": "http://user:secret@mail"}, tmp_path)
    assert "secret" not in str(caught.value)


def test_kubernetes_variables_are_ignored(tmp_path: Path) -> None:
    """A service called monitor gives them to every pod."""
    environ = {
        "MONITOR_PORT": "tcp://10.0.0.1:8501",
        "MONITOR_SERVICE_HOST": "10.0.0.1",
        "MONITOR_PORT_8501_TCP": "tcp://10.0.0.1:8501",
    }

    assert Settings.load(environ, tmp_path) == Settings()


def test_variables_that_are_no_settings_are_named() -> None:
    """They may be misspelt; the doctor tells them."""
    environ = {"MONITOR_PROT": "1", "MONITOR_PORT": "1", "OTHER": "1", "MONITOR_": "1"}

    assert unknown_variables(environ) == ["MONITOR_", "MONITOR_PROT"]


def test_settings_cannot_be_changed() -> None:
    """They are read once."""
    settings = Settings()

    with pytest.raises(AttributeError):
        settings.port = 80  # type: ignore[misc]  # that it is refused is what is tested


def test_the_public_address_can_be_filled_in() -> None:
    """When the server knows where it listens."""
    assert Settings().with_public_url("http://localhost:1").public_url == "http://localhost:1"
