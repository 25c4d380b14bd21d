"""The server's ASGI application: the dashboard, our routes, and the house that runs while it is served."""

import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import streamlit as st

import dashboard
from dashboard.source import Lag, Source, install
from monitor import api
from monitor.house import House

_SCRIPT = Path(dashboard.__file__).parent / "app.py"


def streamlit_app(house: House, url: str) -> st.App:
    """The dashboard with our routes; the house runs for as long as it is served.

    Args:
        house: open, not started.
        url: where the server is reached; commands find it in the data directory while it runs.
    """
    install(
        Source(
            ledger=house.ledger,
            control=house.control,
            clock=house.clock,
            time_zone=house.settings.time_zone,
            settings=house.settings,
            spool_lag=lambda: Lag(backlog=house.drain.backlog(), idle=house.loop.idle_for()),
            last_check=lambda: house.checked,
            job_faults=house.job_faults,
            propose=house.prices.propose,
            book=house.prices.book,
        )
    )

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        house.start()
        _announce(house, url)
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                house.home.server.unlink()
            house.stop()

    own = api.routes(health=house.state, answer=house.answer, show=house.show, do=house.do, token=house.token)
    return st.App(_SCRIPT, lifespan=lifespan, routes=own)


def _announce(house: House, url: str) -> None:
    """Write where the server is and the token for its API, readable by the owner only."""
    facts = {"url": url, "pid": os.getpid(), "token": house.token, "started_at": time.time()}
    draft = house.home.server.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(facts), encoding="utf-8")
    draft.replace(house.home.server)
