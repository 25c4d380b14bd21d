"""Writes down what people say of prices for programs that tell their own spend: they open no store."""

from pathlib import Path

import msgspec

from monitor.pricing.own import OwnPrices


def publish_prices(path: Path, own: OwnPrices) -> None:
    """Let the file say this, all of it or as before; only the owner may read it. No file is made to say nothing.

    Raises:
        OSError: it cannot be written.
    """
    text = msgspec.json.encode(own)
    if (path.read_bytes() if path.exists() else msgspec.json.encode(OwnPrices())) == text:
        return
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(text)
    draft.replace(path)
