"""What Python loads at its start under `monitor run`: looks after openai, then gives way to the usual `sitecustomize`.

It runs in every Python below the command, of any version from 3.6 and with whatever installed: it imports nothing of
ours before openai itself is imported, and whatever goes wrong is told in one line while the program runs on.
"""

import importlib
import os
import sys

_NAME = "sitecustomize"
_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes longer than all the rest
_TOLD = "_OPENAI_MONITOR_TOLD"
_OLDEST = (3, 11)


class _Start:
    """An import hook that starts the recording when openai is imported."""

    is_over = False

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - the protocol
        """Find nothing; only take note."""
        if name == "openai" and not self.is_over:
            # It stays in the list of finders, which is being walked just now.
            self.is_over = True
            start()


def start() -> None:
    """Have every client recorded that is made from now on, or tell why not."""
    try:
        obstacle = _obstacle()
        if obstacle is None:
            importlib.import_module("monitor").instrument()
    except ImportError as error:
        obstacle = f"It cannot be loaded: {error}. {_advice()}"
    except Exception as error:  # noqa: BLE001 - the program does not know of us, and must not hear of our faults
        obstacle = " ".join(str(error).split()) or type(error).__name__
    if obstacle is not None:
        _tell(f"openai-monitor: the calls of this program are not recorded. {obstacle}\n")


def _obstacle() -> "str | None":
    if sys.version_info < _OLDEST:
        return f"It needs Python 3.11 or newer; {sys.executable} is older."
    spec = importlib.import_module("importlib.util").find_spec("monitor")
    if spec is None or not spec.origin:
        return f"It is not installed for this Python. {_advice()}"
    beside = os.path.join(os.path.dirname(spec.origin), "autostart")  # noqa: PTH118, PTH120 - as above
    if not os.path.isdir(beside):  # noqa: PTH112 - as above
        return f"The program's own {spec.origin} has the name of its package; the two cannot be loaded at once."
    return None


def _advice() -> str:
    return f"Run: {sys.executable} -m pip install openai-monitor"


def _tell(line: str) -> None:
    # Once: the Pythons that this one starts say no more.
    if sys.stderr is not None and not os.environ.get(_TOLD):
        os.environ[_TOLD] = "1"
        try:
            sys.stderr.write(line)
        except (OSError, ValueError):
            return


def give_way() -> None:
    """Load the module that would have been loaded without us, and take our folder off the path."""
    ours = sys.modules.pop(_NAME)
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) != _FOLDER]  # noqa: PTH100 - as above
    try:
        importlib.import_module(_NAME)
    except ModuleNotFoundError as error:
        if error.name != _NAME:
            raise
    finally:
        sys.modules.setdefault(_NAME, ours)


if __name__ == _NAME:
    sys.meta_path.insert(0, _Start())
    give_way()
