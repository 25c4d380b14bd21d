"""Serves the house on one port until it is told to stop."""

import errno
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from streamlit import config

from dashboard.theme import OPTIONS
from monitor.app import streamlit_app
from monitor.errors import SettingsError
from monitor.house import House
from monitor.settings import Settings

log = logging.getLogger(__name__)

_CLOSE_WITHIN = 3
_STREAMLIT = {
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "global.developmentMode": False,
    "logger.level": "warning",
    "runner.magicEnabled": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    **OPTIONS,
}
"""What Streamlit is told: nothing goes out to the network, nothing watches files."""


def serve(settings: Settings, *, ready: Callable[[House, str], None]) -> None:
    """Run the server in the foreground; returns after SIGTERM or Ctrl-C, when everything is put away.

    Args:
        settings: where the data are and where to listen.
        ready: called with the house and its address just before the first page can be had.

    Raises:
        SettingsError: the address cannot be listened on.
        MonitorError: the data directory cannot be used; the text says why.
    """
    listening = _listen(settings)
    with listening:
        url = _url(settings.host, listening.getsockname()[1])
        for name, value in _STREAMLIT.items():
            config.set_option(name, value)
        with House(settings if settings.public_url else settings.with_public_url(url)) as house:
            app = streamlit_app(house, url)
            server = _Server(
                uvicorn.Config(
                    app,
                    log_level="warning",
                    access_log=False,
                    ws="websockets-sansio",
                    timeout_graceful_shutdown=_CLOSE_WITHIN,
                )
            )
            with _stopped_by_signals(server):
                ready(house, url)
                server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """Puts everything away however often it is told to stop, and does not raise the signals again afterwards."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the base class's signature
        """Stop; the time that open connections get is short enough without a forced way."""
        self.should_exit = True


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """SIGINT and SIGTERM stop the server before it has begun to run, too: it says that it is ready before that."""
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(settings: Settings) -> socket.socket:
    if not settings.allow_remote and not _is_loopback(settings.host):
        raise SettingsError(
            f"MONITOR_HOST is {settings.host!r}: other machines could reach the dashboard, which has no login. "
            "Use 127.0.0.1, put a proxy with a login before it, or set MONITOR_ALLOW_REMOTE=true."
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"Port {settings.port} on {settings.host} is taken by another program. "
                "Choose another with --port or MONITOR_PORT; 0 takes a free one."
            ) from error
        raise SettingsError(f"Cannot listen on {settings.host} port {settings.port}: {error}.") from error
    return listening


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"
