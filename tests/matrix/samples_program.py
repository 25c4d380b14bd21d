"""Makes the request of every sample, unwatched and then watched, and prints as JSON what a program sees.

python -m tests.matrix.samples_program ADDRESS HOME

It uses the low level of the SDK, which all versions have; runs in the environment of any of them.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openai

import monitor
from monitor.capture.wrap import HEALTH
from monitor.settings import Settings
from tests.capture.samples import read_samples
from tests.cassettes.material import MARK, Row
from tests.matrix.cases import PLAIN, RUN, WATCHED
from tests.matrix.clients import KEY
from tests.matrix.program import facts_of, got, items


def _is_async(row: Row) -> bool:
    return int(row.id, 16) % 2 == 1


def _new_client(row: Row, address: str) -> Any:
    kind: Any = openai.AsyncOpenAI if _is_async(row) else openai.OpenAI
    return kind(api_key=KEY, base_url=address, max_retries=0)


async def _ask(client: Any, row: Row, run: str) -> object:
    url = urlsplit(row.url)
    headers = {MARK: row.id, RUN: run}
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    content_type = row.request_headers.get("content-type", "")
    if row.request_body and content_type.startswith("multipart/"):
        # The SDK only sends forms that it builds itself.
        headers |= {"content-type": "multipart/form-data; boundary=sample", "authorization": f"Bearer {KEY}"}
        target = str(client.base_url).rstrip("/") + url.path
        response = await got(
            client._client.request(row.method, target, content=row.request_body, headers=headers, params=query)
        )
        return [response.status_code, response.content.hex()]
    named: dict[str, Any] = {"cast_to": object, "options": {"headers": headers, "params": query}}
    if row.method != "GET" and row.request_body is not None:
        named["body"] = json.loads(row.request_body)
    if row.is_event_stream:
        named |= {"stream": True, "stream_cls": (openai.AsyncStream if _is_async(row) else openai.Stream)[object]}
    answer = await got(getattr(client, row.method.lower())(url.path, **named))
    return await items(answer) if row.is_event_stream else answer


async def _see(client: Any, row: Row, run: str) -> object:
    try:
        with monitor.tag(case=row.source):
            return await _ask(client, row, run)
    except Exception as error:  # noqa: BLE001 - whatever it is, a watched program must see the same
        return facts_of(error)


async def _main(address: str, settings: Settings) -> dict[str, list[object]]:
    seen: dict[str, list[object]] = {}
    clients: dict[tuple[bool, str], Any] = {}
    for row in read_samples():
        for run in (PLAIN, WATCHED):
            key = (_is_async(row), run)
            if key not in clients:
                client = _new_client(row, address)
                clients[key] = monitor.wrap(client, settings=settings) if run == WATCHED else client
            seen.setdefault(row.source, []).append(await _see(clients[key], row, run))
    for client in clients.values():
        await got(client.close())
    return seen


if __name__ == "__main__":
    found = asyncio.run(_main(sys.argv[1], Settings(home=Path(sys.argv[2]))))
    facts = {"version": openai.__version__, "seen": found, "counters": dict(HEALTH.counts())}
    sys.stdout.write(json.dumps(facts, default=str))
