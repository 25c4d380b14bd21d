"""`monitor run`: any command, recorded without a change to its code, and otherwise just as it would run alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.capture.world import World, like_openai
from tests.cassettes.server import LoopbackServer

_APP = """
import sys
from openai import OpenAI

def main():
    client = OpenAI(api_key="sk-tests", base_url=sys.argv[1], max_retries=0)
    print(client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "?"}]).id)

if __name__ == "__main__":
    main()
"""
_FRAMES = """
import sys
found = sys.modules["sitecustomize"].__file__.endswith("here/sitecustomize.py")
print([name for name in sys.path if "autostart" in name], found)
"""


class Runner:
    """Runs commands with `monitor run`, in a directory of their own."""

    def __init__(self, directory: Path, server: LoopbackServer) -> None:
        self.directory = directory
        self.address = f"{server.address}/v1"
        self.world = World(directory / "home")
        self.write("app.py", _APP)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def environ(self, **more: str) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MONITOR_", "PYTHON", "OTEL_"))
        }
        return {**kept, "MONITOR_HOME": str(self.world.directory), "PYTHONPATH": str(ROOT), **more}

    def __call__(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        # -P: a module of the directory must not stand in for ours before the command is run.
        return self.alone(sys.executable, "-P", "-m", "monitor.cli.main", "run", *words, **more)

    def alone(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        environ = self.environ(**more)
        return subprocess.run(
            words, cwd=self.directory, env=environ, capture_output=True, text=True, check=False, timeout=60
        )


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Runner]:
    with LoopbackServer(like_openai) as server:
        yield Runner(tmp_path, server)


def test_a_script_is_recorded(run: Runner) -> None:
    """Its code and its output do not change; the place of the call is in its own file."""
    result = run("--", sys.executable, "app.py", run.address)

    assert (result.returncode, result.stdout, result.stderr) == (0, "chatcmpl-1\n", "")
    end = run.world.end()
    assert (end["input_tokens"], end["call_site"], end["call_function"]) == (14, "app.py:7", "__main__.main")


def test_the_options_say_who_calls(run: Runner) -> None:
    """They win over the settings; tags join those that are set."""
    options = ["--service", "shop", "--environment", "test", "--tag", "team=search", "--tag", "note=a,b = 100 %"]
    run(*options, sys.executable, "app.py", run.address, MONITOR_SERVICE="other", MONITOR_TAGS="team=x,region=eu")

    end = run.world.end()
    assert (end["service"], end["environment"], end["team"]) == ("shop", "test", "search")
    assert end["tags"] == {"note": "a,b = 100 %", "region": "eu"}


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "app"),
        ("-c", "import app, sys; app.main()"),
        ("-c", "import subprocess, sys; subprocess.run([sys.executable, 'app.py', sys.argv[1]], check=True)"),
        ("-c", "import os, sys; os.execv(sys.executable, [sys.executable, 'app.py', sys.argv[1]])"),
        ("-c", "import os, app; os.wait() if os.fork() else app.main()"),
    ],
    ids=["module", "command", "child", "exec", "fork"],
)
def test_every_way_to_run_python_is_recorded(command: tuple[str, ...], run: Runner) -> None:
    """As a module, and in children of any kind."""
    run("--", sys.executable, *command, run.address)

    assert [end["input_tokens"] for end in run.world.ends()] == [14]


def test_a_spawned_worker_is_recorded(run: Runner) -> None:
    """Workers of `multiprocessing` start a Python of their own."""
    run.write(
        "pool.py",
        "import sys, multiprocessing, app\n"
        "if __name__ == '__main__':\n"
        "    worker = multiprocessing.get_context('spawn').Process(target=app.main)\n"
        "    worker.start(); worker.join(); sys.exit(worker.exitcode)\n",
    )

    assert run("--", sys.executable, "pool.py", run.address).returncode == 0
    assert len(run.world.ends()) == 1


def test_pytest_is_recorded(run: Runner) -> None:
    """A test run has import hooks of its own."""
    run.write(
        "test_it.py",
        "import os, sys, app\ndef test_it():\n    sys.argv[1:] = [os.environ['ADDRESS']]\n    app.main()\n",
    )
    result = run("--", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ADDRESS=run.address)

    assert result.returncode == 0
    assert len(run.world.ends()) == 1


def test_the_program_may_wrap_too(run: Runner) -> None:
    """What it says itself wins over the options of the command."""
    run.write(
        "own.py",
        "import sys, monitor\nfrom openai import OpenAI\n"
        "client = monitor.wrap(OpenAI(api_key='k', base_url=sys.argv[1]), service='own')\n"
        "client.chat.completions.create(model='gpt-4o', messages=[])\n",
    )
    run("--service", "outer", "--tag", "team=search", sys.executable, "own.py", run.address)

    end = run.world.end()
    assert (end["service"], end["team"]) == ("own", "search")


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -TERM $$", -signal.SIGTERM), ("kill -PIPE $$", -signal.SIGPIPE)]
)
def test_the_exit_is_the_commands_own(script: str, code: int, run: Runner) -> None:
    """Status and signals; it takes the place of the process that was started."""
    assert run("--", "sh", "-c", script).returncode == code


def test_a_pipe_that_closes_ends_the_command(run: Runner) -> None:
    """Python ignores that signal for itself; the command does not inherit this."""
    assert run("--", "sh", "-c", "yes | head -n 1; trap").stderr == ""


@pytest.mark.parametrize(
    ("command", "code"), [("no-such-command", 127), ("./missing", 127), ("app.py/x", 127), (".", 126)]
)
def test_what_cannot_be_run_is_told(command: str, code: int, run: Runner) -> None:
    """In a sentence, with the exit status that shells have for it."""
    result = run("--", command)

    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.startswith(f"error: The command {command!r} cannot be run: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name the command to run"),
        (("--",), "name the command to run"),
        (("--tag", "team", "ls"), "'team' must look like team=search"),
        (("--tag", "=x", "ls"), "must look like team=search"),
        (("--colour", "red", "ls"), "name the command to run"),
    ],
)
def test_a_fault_in_the_options_is_told(words: tuple[str, ...], told: str, run: Runner) -> None:
    """Nothing is run then."""
    result = run(*words)

    assert result.returncode == 2
    assert told in result.stderr or "unrecognized arguments" in result.stderr


def test_options_of_the_command_are_its_own(run: Runner) -> None:
    """Also those that have our names, with and without the two dashes."""
    for words in (("--",), ()):
        result = run(*words, "echo", "--service", "x", "--", "--help")
        assert result.stdout == "--service x -- --help\n"


def test_a_wrong_setting_is_one_line(run: Runner) -> None:
    """The program runs on unwatched; the Pythons that it starts do not repeat it."""
    run.write(
        "twice.py",
        "import subprocess, sys, app\napp.main()\nsubprocess.run([sys.executable, *['app.py', sys.argv[1]]])\n",
    )
    result = run("--", sys.executable, "twice.py", run.address, MONITOR_PORT="http", MONITOR_ENABLED="maybe")

    assert (result.returncode, result.stdout.count("chatcmpl-1")) == (0, 2)
    assert result.stderr.startswith("openai-monitor: the calls of this program are not recorded. MONITOR_")
    assert ("MONITOR_PORT" in result.stderr, result.stderr.count("\n")) == (True, 1)
    assert run.world.ends() == []


def test_a_python_without_openai_hears_nothing(run: Runner) -> None:
    """What does not use it costs nothing and tells nothing, whatever is wrong."""
    program = "import sys; print(sorted({'monitor', 'msgspec'} & set(sys.modules)))"
    result = run("--", sys.executable, "-c", program, MONITOR_PORT="http")

    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_a_python_where_it_is_not_installed_is_told_how(run: Runner) -> None:
    """One line; the program runs on."""
    run.write("openai.py", "print('its own openai')\n")
    program = ["-c", "import sys; sys.path[:] = [p for p in sys.path if p != sys.argv[1]]; import openai", str(ROOT)]
    result = run("--", sys.executable, "-S", *program)
    assert (result.stdout, result.stderr) == ("its own openai\n", "")

    folder = ROOT / "monitor" / "autostart"
    bare = [sys.executable, "-S", "-c", "import sitecustomize, openai"]
    told = run.alone(*bare, PYTHONPATH=f"{folder}{os.pathsep}{run.directory}")
    assert told.stdout == "its own openai\n"
    assert told.stderr.endswith(f"Run: {sys.executable} -m pip install openai-monitor\n")
    assert told.stderr.count("\n") == 1


def test_a_module_of_the_same_name_is_left_alone(run: Runner) -> None:
    """A program may have a `monitor` of its own: it gets that one, and is told why nothing is recorded."""
    own = run.write("monitor.py", "print('the own one')\n")
    run.write("named.py", "import app, monitor\napp.main()\n")
    result = run("--", sys.executable, "named.py", run.address)

    assert result.stdout == "the own one\nchatcmpl-1\n"
    assert f"{own} has the name of its package" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_usual_sitecustomize_is_loaded(run: Runner) -> None:
    """The one that Python would have found without us, under its own name; our folder is off the path."""
    run.write("here/sitecustomize.py", "print('usual', __name__)\n")
    path = f"{run.directory / 'here'}{os.pathsep}{ROOT}"
    result = run("--", sys.executable, "-c", _FRAMES, PYTHONPATH=path)

    assert result.stdout == "usual sitecustomize\n[] True\n"


def test_a_faulty_sitecustomize_is_as_faulty_as_ever(run: Runner) -> None:
    """Python tells of it in the same words, and the program is recorded."""
    run.write("here/sitecustomize.py", "import app_that_is_not_there\n")
    path = f"{run.directory / 'here'}{os.pathsep}{ROOT}"
    alone = run.alone(sys.executable, "app.py", run.address, PYTHONPATH=path)
    result = run("--", sys.executable, "app.py", run.address, PYTHONPATH=path)

    # `monitor run` is a Python too, and complains first.
    assert result.stderr == alone.stderr * 2 != ""
    assert len(run.world.ends()) == 1


def test_the_environment_is_changed_where_it_must_be(run: Runner) -> None:
    """One folder is put before the path, and no empty place, which would be the working directory."""
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    alone = json.loads(run.alone(sys.executable, "-c", program).stdout)
    watched = json.loads(run("--", sys.executable, "-c", program).stdout)
    twice = json.loads(run("--", sys.executable, "-m", "monitor.cli.main", "run", sys.executable, "-c", program).stdout)

    folder = str(ROOT / "monitor" / "autostart")
    assert watched == twice == {**alone, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def test_it_starts_without_what_the_server_needs(run: Runner) -> None:
    """Where only the wrapper is installed, it works; and nobody waits for the pages to load."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['typer', 'rich', 'duckdb']));"
        "sys.argv = ['monitor', *sys.argv[1:]]; from monitor.cli.main import main; main()"
    )

    assert run.alone(sys.executable, "-c", program, "run", "echo", "ran").stdout == "ran\n"
    refused = run.alone(sys.executable, "-c", program, "report")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert 'pip install "openai-monitor[server]"' in refused.stderr


def test_help_lists_it(run: Runner) -> None:
    """Among the other commands, though it is run by a parser of its own."""
    result = run.alone(sys.executable, "-m", "monitor.cli.main", "--help")

    assert "Run a command with every OpenAI client in it recorded" in " ".join(result.stdout.split())
    assert "--tag NAME=VALUE" in run("--help").stdout
