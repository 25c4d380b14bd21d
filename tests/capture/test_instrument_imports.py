"""`instrument` before, during and after the import of the SDK, and over a fork."""

import json

from tests.capture.program import output_of
from tests.capture.world import World, like_openai
from tests.cassettes.server import LoopbackServer

_PROGRAM = """
import json, sys
import monitor

monitor.instrument(service="hooked")
loaded = sorted({name.partition(".")[0] for name in sys.modules} & {"openai", "httpx", "httpx2", "duckdb"})
import openai
from openai import _base_client

openai.api_key, openai.base_url, openai.max_retries = "sk-tests", sys.argv[1], 0
openai.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "?"}])
loader = type(_base_client.__spec__.loader)
print(json.dumps([loaded, loader.__name__, _base_client.__loader__ is _base_client.__spec__.loader]))
"""


def test_openai_is_looked_after_when_it_comes(world: World) -> None:
    """Nothing is imported before the program does; the client behind `openai.chat` is recorded; no trace is left."""
    with LoopbackServer(like_openai) as server:
        output = output_of(_PROGRAM, f"{server.address}/v1/", MONITOR_HOME=str(world.directory))

    assert json.loads(output) == [[], "SourceFileLoader", True]
    end = world.end()
    assert (end["service"], end["input_tokens"]) == ("hooked", 14)


def test_an_import_that_is_under_way_is_not_missed(world: World) -> None:
    """Another thread may be importing openai while the program says `instrument`."""
    program = """
import threading, monitor
thread = threading.Thread(target=__import__, args=("openai",))
thread.start()
for _ in range(50):
    monitor.instrument()
thread.join()
import openai
from monitor.capture.transport import RecordingTransport
print(isinstance(openai.OpenAI(api_key="x")._client._transport, RecordingTransport))
"""
    assert output_of(program, MONITOR_HOME=str(world.directory)) == "True\n"


def test_a_fork_while_clients_are_made_is_safe(world: World) -> None:
    """The child has not the thread that was in the middle of it, and can make clients all the same."""
    program = """
import os, signal, threading
import httpx2, monitor
from openai import OpenAI

monitor.instrument()
is_over = threading.Event()

def make():
    # Without TLS, whose library has locks of its own.
    OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(print))).close()

def busy():
    while not is_over.is_set():
        make()

make()  # what the SDK imports late is imported now: a fork within an import is no business of ours
threads = [threading.Thread(target=busy) for _ in range(2)]
for thread in threads:
    thread.start()
codes = set()
for _ in range(40):
    child = os.fork()
    if not child:
        signal.alarm(20)
        make()
        os._exit(0)
    codes.add(os.waitpid(child, 0)[1])
is_over.set()
for thread in threads:
    thread.join()
print(codes)
"""
    assert output_of(program, MONITOR_HOME=str(world.directory), PYTHONWARNINGS="ignore") == "{0}\n"


def test_the_sdk_is_found_by_whoever_finds_it(world: World) -> None:
    """Finders of the program stay in charge; a second import, of a fresh SDK, is looked after too."""
    program = """
import sys, monitor
class Finder:
    asked = []
    def find_spec(self, name, path=None, target=None):
        self.asked.append(name)
sys.meta_path.insert(0, Finder())
monitor.instrument()
for _ in range(2):
    for name in [name for name in sys.modules if name.partition(".")[0] == "openai"]:
        del sys.modules[name]
    import openai
    from monitor.capture.transport import RecordingTransport
    assert isinstance(openai.OpenAI(api_key="x")._client._transport, RecordingTransport)
print(Finder.asked.count("openai._base_client"))
"""
    assert output_of(program, MONITOR_HOME=str(world.directory)) == "2\n"
