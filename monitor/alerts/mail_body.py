"""The body of an alert mail, as plain text and as HTML that mail programs understand."""

from decimal import Decimal, InvalidOperation
from html import escape
from typing import Final
from urllib.parse import urlsplit

from monitor.alerts.model import Alert
from monitor.alerts.wording import usd

_COLOURS: Final = {"critical": "#b3261e", "warning": "#9a6700"}
_FACTS: Final = (
    ("Budget", "budget"),
    ("Spent", "list_cost"),
    ("Amount", "amount"),
    ("Used", "used"),
    ("Counts", "scope"),
    ("Period", "period"),
    ("Requests", "requests"),
    ("Without a price", "unpriced_requests"),
    ("Model", "model"),
    ("Provider", "provider_name"),
    ("Tokens in", "input_tokens"),
    ("Tokens out", "output_tokens"),
    ("Since", "since"),
    ("Why", "why"),
)
_MONEY: Final = frozenset({"list_cost", "amount"})
_FONT: Final = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"


def text_body(alert: Alert, delay: str | None) -> str:
    """Plain text; `delay` is what `delay_of` says."""
    lines = [alert.summary]
    if delay is not None:
        lines += ["", f"This message was {delay}."]
    facts = _facts(alert)
    if facts:
        lines += ["", *(f"{name + ':':<17}{value}" for name, value in facts)]
    if "action" in alert.annotations:
        lines += ["", alert.annotations["action"]]
    url = _link(alert)
    if url is not None:
        lines += ["", f"Dashboard: {url}"]
    return "\n".join([*lines, "", "-- ", f"openai-monitor, alert {alert.fingerprint}", ""])


def html_body(alert: Alert, delay: str | None) -> str:
    """HTML with inline styles only; every value in it is escaped."""
    parts = [_heading(alert)]
    if delay is not None:
        parts.append(f'<p style="margin:0 0 12px"><b>This message was {escape(delay)}.</b></p>')
    parts += [_bar(alert), _table(_facts(alert))]
    if "action" in alert.annotations:
        parts.append(f'<p style="margin:16px 0">{escape(alert.annotations["action"])}</p>')
    url = _link(alert)
    if url is not None:
        parts.append(f'<p style="margin:16px 0"><a href="{escape(url)}">Open the dashboard</a></p>')
    parts.append(f'<p style="color:#6b7280;font-size:12px">openai-monitor, alert {escape(alert.fingerprint)}</p>')
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"></head>'
        f'<body style="{_FONT};font-size:15px;color:#1f2937;max-width:640px">{"".join(parts)}</body></html>'
    )


def _facts(alert: Alert) -> list[tuple[str, str]]:
    values = {**alert.annotations, **alert.labels}
    return [
        (name, usd(Decimal(values[key])) if key in _MONEY else values[key]) for name, key in _FACTS if key in values
    ]


def _heading(alert: Alert) -> str:
    return (
        f'<p style="margin:0 0 12px;padding-left:12px;border-left:4px solid {_COLOURS[alert.severity]};'
        f'font-size:17px">{escape(alert.summary)}</p>'
    )


def _table(facts: list[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><td style="padding:2px 16px 2px 0;color:#6b7280">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in facts
    )
    return f'<table role="presentation" style="border-collapse:collapse;font-size:15px">{rows}</table>'


def _bar(alert: Alert) -> str:
    """How much of the amount is used, drawn with table cells: mail programs show no other chart everywhere."""
    try:
        used = Decimal(alert.annotations["list_cost"]) / Decimal(alert.annotations["amount"])
    except (KeyError, InvalidOperation, ZeroDivisionError):
        return ""
    width = int(min(max(used, Decimal(0)), Decimal(1)) * 100)
    cells = [(width, _COLOURS[alert.severity]), (100 - width, "#e5e7eb")]
    drawn = "".join(
        f'<td style="width:{share}%;height:10px;background:{colour}"></td>' for share, colour in cells if share
    )
    return (
        '<table role="presentation" cellspacing="0" style="width:100%;margin:0 0 12px;border-collapse:collapse">'
        f"<tr>{drawn}</tr></table>"
    )


def _link(alert: Alert) -> str | None:
    url = alert.annotations.get("dashboard_url")
    return url if url is not None and urlsplit(url).scheme in {"http", "https"} else None
