"""Signed webhooks, as Standard Webhooks 1.0 says."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from monitor.alerts.model import Message, Receiver
from monitor.alerts.notification import webhook_body
from monitor.errors import ControlError, DeliveryError
from monitor.notifiers.model import Receipt, RefusedError
from monitor.notifiers.quiet import quiet
from monitor.notifiers.scrub import MAX_DETAIL, scrub
from monitor.settings import Settings

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 (the public part)

_SECRET_SIZE: Final = 32
_SECRET_SIZES: Final = range(24, 65)
_CONNECT_TIMEOUT: Final = 10.0
_TOTAL_TIMEOUT: Final = 15.0
_MAX_ANSWER: Final = 64 * 1024
_WORTH_RETRYING: Final = frozenset({408, 425, 429})
_GONE: Final = 410
_SHORTEST_TOKEN: Final = 8


class WebhookNotifier:
    """Posts each message as signed JSON to one URL."""

    def __init__(self, *, url: str, secret: str, total_timeout: float = _TOTAL_TIMEOUT) -> None:
        """Deliver to `url`, signing with `secret` (`whsec_…`); no attempt takes longer than `total_timeout`."""
        self._url = url
        self._secret = secret
        self._place = describe({"url": url})
        self._total_timeout = total_timeout

    def notify(self, message: Message) -> Receipt:
        """Post it. Success is a 2xx answer; redirects are not followed."""
        body = webhook_body(message)
        headers = signed_headers(self._secret, message_id=message.id, sent_at=message.sent_at, body=body)
        try:
            # An event loop of its own is what can end an answer that trickles in: read timeouts begin anew per byte.
            with quiet("httpx2"):
                status, retry_after, answer = asyncio.run(self._post(body, headers))
        except TimeoutError:
            raise DeliveryError(
                f"{self._place} did not answer within {self._total_timeout:g} s.", is_permanent=False
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            reason = scrub(str(error) or type(error).__name__, self._hidden())
            raise DeliveryError(f"{self._place} could not be reached: {reason}.", is_permanent=False) from None
        detail = scrub(answer.decode("utf-8", errors="replace"), self._hidden())
        if 200 <= status < 300:
            return Receipt(status=status, detail=detail)
        raise self._refusal(status, detail, _seconds(retry_after, message.sent_at))

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str | None, bytes]:
        timeout = httpx2.Timeout(self._total_timeout, connect=min(_CONNECT_TIMEOUT, self._total_timeout))
        async with (
            asyncio.timeout(self._total_timeout),
            httpx2.AsyncClient(timeout=timeout, follow_redirects=False) as client,
            client.stream("POST", self._url, content=body, headers=headers) as response,
        ):
            answer = b""
            async for chunk in response.aiter_raw():
                answer += chunk
                if len(answer) >= _MAX_ANSWER:
                    break
            return response.status_code, response.headers.get("retry-after"), answer[: 4 * MAX_DETAIL]

    def _refusal(self, status: int, detail: str, retry_after: float | None) -> RefusedError:
        said = f": {detail}" if detail else "."
        if 300 <= status < 400:
            said = "; redirects are not followed, so the receiver needs the final address."
        return RefusedError(
            f"{self._place} answered {status}{said}",
            status=status,
            is_permanent=400 <= status < 500 and status not in _WORTH_RETRYING,
            is_gone=status == _GONE,
            retry_after=retry_after,
        )

    def _hidden(self) -> tuple[str, ...]:
        parts = urlsplit(self._url)
        pieces = (*parts.path.split("/"), parts.query)
        tokens = [piece for piece in pieces if len(piece) >= _SHORTEST_TOKEN]
        return (self._url, self._secret, self._secret.removeprefix(SECRET_PREFIX), *tokens)


def signed_headers(secret: str, *, message_id: str, sent_at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt: the id stays the same over attempts, timestamp and signature do not."""
    timestamp = str(int(sent_at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = hmac.digest(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), signed, hashlib.sha256)
    return {
        "content-type": "application/json",
        "user-agent": "openai-monitor",
        "accept-encoding": "identity",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def webhook_config(*, url: str, secret: str | None = None) -> dict[str, str]:
    """What the control store keeps of a webhook receiver; without a secret a random one is made.

    Raises:
        ControlError: the URL or the secret cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ControlError(
            "A webhook needs an address like https://example.com/hook, with http or https and without user or password."
        )
    secret = secret or SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_SIZE)).decode()
    try:
        size = len(base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if not secret.startswith(SECRET_PREFIX) or size not in _SECRET_SIZES:
        raise ControlError(f"A webhook secret is {SECRET_PREFIX} and then 24 to 64 random bytes in base64.")
    return {"url": url, "secret": secret}


def webhook_notifier(receiver: Receiver, settings: Settings) -> WebhookNotifier:  # noqa: ARG001 (one form for all)
    """The notifier of a webhook receiver."""
    return WebhookNotifier(url=receiver.config["url"], secret=receiver.config["secret"])


def describe(config: Mapping[str, Any]) -> str:
    """Scheme and host only: the rest of a webhook address is often a secret."""
    parts = urlsplit(str(config["url"]))
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """The `Retry-After` header in seconds; None when it is missing, past or unreadable."""
    if retry_after is None:
        return None
    if retry_after.strip().isascii() and retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return seconds if seconds > 0 else None
