"""What all requests to one address with one key share: worked out once, and kept as the start of their lines."""

import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from monitor.capture.bases import Base
from monitor.capture.calls import Place
from monitor.capture.endpoints import Endpoint, deployment_of, endpoint_of
from monitor.capture.keys import KeyNames
from monitor.capture.providers import TELL_USAGE, provider_of, region_of
from monitor.records import Begin
from monitor.spool.format import encode_facts

_MOST: Final = 1024
_MOST_BASES: Final = 64
_SDK: Final = b"x-stainless-"
"""Headers whose names begin so are the SDK's; a redirect keeps them."""

_BEGUN: Final = frozenset(Begin.__struct_fields__)
_NAMING: Final = (
    b"Host",
    b"authorization",
    b"api-key",
    b"openai-organization",
    b"openai-project",
    b"x-stainless-package-version",
)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all requests of one wrapped client."""

    service: str | None
    environment: str | None
    provider: str | None
    providers: Mapping[str, str]
    tags: Mapping[str, str]
    include_usage: bool
    frameworks: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A method and address, asked with one key.

    Attributes:
        place: method, path with query, and host; requests of one call have the same.
        endpoint: what kind of request it is.
        deployment: the Azure deployment that the path names, None where it names none.
        named_id: the last id in the path, "" where it has none.
        facts: fields of the record that all its requests share.
        begun: those of them that the begin line has, as the inside of a JSON object, and a comma.
        more: the others in that form, between two commas.
        accounts: what the request says of organisation and project; the answer may know better.
        may_change: whether the body may be changed on its way.
    """

    place: Place
    endpoint: Endpoint
    deployment: str | None
    named_id: str
    facts: Mapping[str, object]
    begun: bytes
    more: bytes
    accounts: Mapping[str, str]
    may_change: bool


class Routes:
    """The routes of one client, each made at its first request."""

    def __init__(self, identity: Identity, keys: KeyNames) -> None:
        """None yet."""
        self._identity = identity
        self._keys = keys
        self._host = socket.gethostname()
        self._known: dict[tuple[object, ...], Route] = {}
        self._bases: tuple[Base, ...] = ()

    def know(self, base: Base) -> None:
        """Note a base URL of the clients."""
        if base not in self._bases and len(self._bases) < _MOST_BASES:
            self._bases = (*self._bases, base)

    def are_foreign(self, url: Any, pairs: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether requests to a URL with these headers are not the SDK's: a program may use its HTTP client, too."""
        if not self._bases or any(base.holds(url) for base in self._bases):
            return False
        return not any(name.lower().startswith(_SDK) for name, _ in pairs)

    @property
    def are_settled(self) -> bool:
        """Whether routes stay as they are: without a salt the key has no name yet."""
        return self._keys.salt is not None

    def of(self, request: Any, headers: Mapping[bytes, bytes]) -> Route:
        """The route of a request; `headers` have the names that `UsualNames` gives them."""
        # The number of the process stands in the facts, and changes with a fork.
        key = (os.getpid(), request.method, request.url.raw_path, *map(headers.get, _NAMING))
        route = self._known.get(key)
        if route is None:
            if len(self._known) >= _MOST:
                # Addresses that hold an id are met a few times and never again.
                self._known.clear()
            route = self._new(request, headers)
            # A route whose key has no name yet is made anew until it has.
            if self.are_settled:
                self._known[key] = route
        return route

    def _new(self, request: Any, headers: Mapping[bytes, bytes]) -> Route:
        _, authorization, api_key, organization, project, version = (_text(headers.get(name)) for name in _NAMING)
        identity, url = self._identity, request.url
        endpoint = endpoint_of(request.method, url.path, self._base_path(url))
        fingerprint, hint = self._keys.name(authorization, api_key)
        provider = identity.provider or provider_of(url.host, url.port, identity.providers)
        facts: dict[str, object] = {
            "provider_name": provider,
            "region": region_of(url.host),
            "operation_name": endpoint.operation_name,
            "endpoint": endpoint.path,
            "method": None if request.method == "POST" else request.method,
            "is_billable": endpoint.is_billable or None,
            "service": identity.service,
            "environment": identity.environment,
            "host": self._host,
            "process_id": os.getpid(),
            "key_fingerprint": fingerprint,
            "key_hint": hint,
            "sdk_version": version,
        }
        stated = {name: value for name, value in facts.items() if value is not None}
        more = {name: stated[name] for name in stated if name not in _BEGUN}
        begun = {name: stated[name] for name in stated if name in _BEGUN}
        accounts = {"billing_account_id": organization, "sub_account_id": project}
        return Route(
            place=(request.method, url.raw_path, headers.get(b"Host")),
            endpoint=endpoint,
            deployment=deployment_of(url.path),
            named_id=_id_in(url.path, endpoint),
            facts=stated,
            begun=encode_facts(begun) + b",",
            more=b",%b," % encode_facts(more),
            accounts={name: value[:256] for name, value in accounts.items() if value},
            may_change=identity.include_usage and provider not in TELL_USAGE and not _is_signed(authorization),
        )

    def _base_path(self, url: Any) -> str:
        return max((base.path for base in self._bases if base.holds(url)), key=len, default="")


def _id_in(path: str, endpoint: Endpoint) -> str:
    """The part of a path that stands where its normal form has the last `{id}`, "" where it has none."""
    parts, pattern = path.rstrip("/").split("/"), endpoint.path.split("/")
    found = [part for part, mark in zip(reversed(parts), reversed(pattern), strict=False) if mark == "{id}"]
    return found[0][:256] if found else ""


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _is_signed(authorization: str | None) -> bool:
    """Whether the body is: the signature of AWS covers it."""
    return authorization is not None and authorization.startswith("AWS4-")
