"""What is shown before the first request is on record."""

import streamlit as st

from dashboard.formats import plain
from dashboard.source import Source
from monitor.ledger import queries

_CODE = """import monitor
from openai import OpenAI

client = monitor.wrap(OpenAI())
"""


def show_welcome(source: Source) -> None:
    """Say how the first request gets here, and open the overview as soon as one has."""
    st.title("No requests yet", anchor=False)
    st.write("Wrap your OpenAI client; every request it makes then shows up here within a second or two.")
    st.code(_CODE, language="python")
    home = plain(str(source.settings.home))
    st.caption(f"Requests are looked for in {home}: the program must run with the same MONITOR\\_HOME.")
    st.fragment(_wait, run_every=2)(source)


def _wait(source: Source) -> None:
    if queries.first_request_at(source.ledger) is not None:
        st.rerun()
    st.caption("Waiting for the first request …")
