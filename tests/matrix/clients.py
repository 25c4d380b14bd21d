"""Makes each kind of client that the SDK of this environment has."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

import openai

KEY: Final = "sk-proj-tests-of-the-matrix-0123456789"


class MissingError(Exception):
    """This version of the SDK, or this environment, does not have it."""


def new_client(name: str, mode: str, address: str) -> Any:
    """A client of that kind for a server. The environment must not name a proxy."""
    return _MAKERS[name](mode == "async", address)


def _openai(is_async: bool, address: str, **named: Any) -> Any:
    kind: Any = openai.AsyncOpenAI if is_async else openai.OpenAI
    return kind(**{"api_key": KEY, "base_url": f"{address}/v1", **named})


def _azure(is_async: bool, address: str) -> Any:
    kind: Any = openai.AsyncAzureOpenAI if is_async else openai.AzureOpenAI
    return kind(api_key=KEY, azure_endpoint=address, api_version="2024-10-21")


def _proxied(is_async: bool, address: str) -> Any:
    # The name is never looked up: the proxy is asked for it.
    with _environment(HTTP_PROXY=address):
        return _openai(is_async, address, base_url="http://api.matrix.test/v1")


def _not_proxied(is_async: bool, address: str) -> Any:
    with _environment(HTTP_PROXY="http://127.0.0.1:1", NO_PROXY="127.0.0.1"):
        return _openai(is_async, address)


def _of_library(library: str) -> Callable[[bool, str], Any]:
    def make(is_async: bool, address: str) -> Any:
        found = _module(library)
        http_client = found.AsyncClient() if is_async else found.Client()
        try:
            return _openai(is_async, address, http_client=http_client)
        except TypeError as error:
            raise MissingError(f"this openai does not take a client of {library}") from error

    return make


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingError(f"{name} is not installed") from error


def _aiohttp(is_async: bool, address: str) -> Any:
    if not hasattr(openai, "DefaultAioHttpClient"):
        raise MissingError("this openai has no client of aiohttp")
    return _openai(is_async, address, http_client=openai.DefaultAioHttpClient())


def _copied(is_async: bool, address: str) -> Any:
    return _openai(is_async, address)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_MAKERS: Final[Mapping[str, Callable[[bool, str], Any]]] = {
    "openai": _openai,
    "azure": _azure,
    "proxy": _proxied,
    "no proxy": _not_proxied,
    "httpx": _of_library("httpx"),
    "httpx2": _of_library("httpx2"),
    "aiohttp": _aiohttp,
    "copy": _copied,
}
