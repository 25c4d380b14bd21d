"""The composed samples of the wire, as interactions that can be replayed."""

import json
import zlib
from pathlib import Path
from typing import Any

from tests.cassettes.material import Row

FOLDER = Path(__file__).parents[2].parent / "shared" / "facts" / "samples"


def read_samples() -> list[Row]:
    """Every sample that has one request and one answer."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    return [_row(sample) for sample in found if "request" in sample and "response" in sample]


def _row(sample: dict[str, Any]) -> Row:
    asked, answered = sample["request"], sample["response"]
    body = asked.get("body")
    headers = {name.lower(): value for name, value in answered["headers"].items()}
    return Row(
        id=f"{zlib.crc32(sample['case'].encode()):016x}",
        source=sample["case"],
        kind="sample",
        method=asked["method"],
        url=asked["url"],
        request_headers={name.lower(): value for name, value in asked["headers"].items()},
        request_body=_form(asked["multipart"]) if "multipart" in asked else json.dumps(body).encode() if body else None,
        status=answered["status"],
        response_headers=headers,
        response_body=_content(answered),
        elided=frozenset(),
        expected={
            "stream": headers.get("content-type", "").startswith("text/event-stream"),
            "azure": "azure" in asked["url"],
            "request_include_usage": ((body or {}).get("stream_options") or {}).get("include_usage"),
            **(sample.get("expect") or {}),
        },
    )


def _content(answered: dict[str, Any]) -> bytes:
    if "body_file" in answered:
        path: Path = FOLDER / answered["body_file"]
        return path.read_bytes()
    if "body_text" in answered:
        return str(answered["body_text"]).encode()
    if "body_bytes" in answered:
        return b"\x00" * int(answered["body_bytes"])
    return json.dumps(answered["body"]).encode()


def _form(form: dict[str, Any]) -> bytes:
    parts = [
        f'--sample\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form.get("fields", {}).items()
    ]
    for name, file in form.get("files", {}).items():
        head = f'--sample\r\nContent-Disposition: form-data; name="{name}"; filename="{file["filename"]}"\r\n\r\n'
        parts.append(head.encode() + b"\x00" * int(file.get("bytes", 10)) + b"\r\n")
    return b"".join(parts) + b"--sample--\r\n"
