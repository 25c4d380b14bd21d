"""The dashboard's entry script: what all pages share, and which pages there are."""

from pathlib import Path

import streamlit as st

from dashboard import theme
from dashboard.formats import plain
from monitor.errors import MonitorError

_LOGO = str(Path(__file__).with_name("logo.svg"))

st.set_page_config(page_title="openai-monitor", page_icon=_LOGO, layout="wide")
st.logo(_LOGO, size="large")
st.html(theme.STYLE)

chosen = st.navigation(
    [
        st.Page("views/overview.py", title="Overview", icon=":material/monitoring:", default=True),
        st.Page("views/reliability.py", title="Reliability", icon=":material/troubleshoot:"),
        st.Page("views/requests.py", title="Requests", icon=":material/list_alt:"),
        st.Page("views/budgets.py", title="Budgets & alerts", icon=":material/savings:"),
        st.Page("views/quality.py", title="Data quality", icon=":material/fact_check:"),
    ],
    position="top",
)
try:
    chosen.run()
except MonitorError as error:
    st.error(plain(str(error)), icon=":material/error:")
