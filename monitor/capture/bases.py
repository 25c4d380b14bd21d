"""The base URLs of clients: what goes below one is asked of the API, and its own path is no part of an endpoint."""

from typing import Any, NamedTuple


class Base(NamedTuple):
    """A base URL; its path without a slash at the end."""

    host: str
    port: int | None
    path: str

    def holds(self, url: Any) -> bool:
        """Whether a URL, of whatever HTTP library, stands below it."""
        if url.host != self.host or url.port != self.port:
            return False
        path: str = url.path
        return path == self.path or path.startswith(f"{self.path}/")


def base_of(client: object) -> Base | None:
    """The base URL of a client; None for what has none."""
    url: Any = getattr(client, "_base_url", None)
    return Base(url.host, url.port, url.path.rstrip("/")) if hasattr(url, "host") else None
