"""The budgets as cards: spend against amount, thresholds marked."""

from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

from dashboard import theme
from dashboard.formats import day, month, percent, weekday
from dashboard.source import Source
from monitor.alerts.wording import counted, usd
from monitor.alerts.wording import percent as percent_used
from monitor.budgets.evaluate import Spend
from monitor.budgets.model import Budget, Matcher
from monitor.budgets.pace import forecast_to_date, share
from monitor.budgets.periods import Period, period_of
from monitor.ledger import overview_queries, queries


def cards(source: Source) -> str:
    """The HTML of all current budgets, by name."""
    shown = "".join(_card(source, budget) for budget in source.control.list_budgets())
    return f'<div class="om-cards">{shown}</div>'


def scope_words(budget: Budget) -> str:
    """Which requests count, in words: `team is search or ads, model is not gpt-6`."""
    return ", ".join(map(_matcher_words, budget.scope)) or "all requests"


def _matcher_words(matcher: Matcher) -> str:
    return (
        f"{matcher.dimension.replace('_', ' ')} is {'not ' if matcher.is_negated else ''}{' or '.join(matcher.values)}"
    )


def _card(source: Source, budget: Budget) -> str:
    now = source.clock()
    period = period_of(budget.period, budget.time_zone, now)
    spend = overview_queries.spend_of(source.ledger, budget.scope, period.start, period.end)
    lines = [f"<h4>{escape(budget.name)}</h4>", f'<p class="om-muted">{escape(scope_words(budget))}</p>']
    lines += _figures(budget, spend)
    lines.append(f'<p class="om-muted">{escape(_period_words(budget, period))}</p>')
    expected = _forecast(source, period, spend)
    if expected is not None:
        tone = "om-bad" if expected > budget.amount else "om-muted"
        lines.append(f'<p class="{tone}">At this pace {usd(expected)} by its end.</p>')
    if spend.unpriced_requests:
        noun = counted(spend.unpriced_requests, "request")
        lines.append(f'<p class="om-near">Not counting {noun} without a known cost.</p>')
    who = f"Notifies {', '.join(budget.receivers)}." if budget.receivers else "Notifies nobody; alerts are shown here."
    lines.append(f'<p class="om-muted">{escape(who)}</p>')
    return f'<div class="om-card">{"".join(lines)}</div>'


def _figures(budget: Budget, spend: Spend) -> list[str]:
    if spend.list_cost is None and spend.unpriced_requests:
        return [f'<div class="om-figures"><b>unknown</b><span>of {usd(budget.amount)}</span></div>']
    spent = spend.list_cost or Decimal(0)
    used = share(spent, budget.amount) or Decimal(0)
    colour = _colour(budget, used)
    scale = max(Decimal(1), *budget.thresholds)
    marks = "".join(f'<i style="left:{_place(mark, scale)}"></i>' for mark in budget.thresholds if mark < scale)
    labels = "".join(_mark_label(mark, scale) for mark in budget.thresholds)
    width = _place(min(used, scale), scale)
    return [
        f'<div class="om-figures"><span><b>{usd(spent)}</b> of {usd(budget.amount)}</span>',
        f"<span>{percent_used(used)}</span></div>",
        f'<div class="om-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuetext="{used:.0%}">',
        f'<span style="width:{width};background:{colour}"></span>{marks}</div>',
        f'<div class="om-marks">{labels}</div>',
    ]


def _place(mark: Decimal, scale: Decimal) -> str:
    return f"{float(mark / scale):.2%}"


def _mark_label(mark: Decimal, scale: Decimal) -> str:
    if mark == scale:
        return f'<span class="om-last">{percent(mark)}</span>'
    return f'<span style="left:{_place(mark, scale)}">{percent(mark)}</span>'


def _colour(budget: Budget, used: Decimal) -> str:
    if used >= 1:
        return theme.BAD
    return theme.NEAR if used >= budget.thresholds[0] else theme.GOOD


def _period_words(budget: Budget, period: Period) -> str:
    zone = ZoneInfo(budget.time_zone)
    first, last = period.start.astimezone(zone), period.end.astimezone(zone)
    names = {"day": weekday(first), "week": f"Week from {weekday(first)}", "month": f"{month(first)} {first.year}"}
    return f"{names[budget.period]}, until {day(last)} {last:%H:%M} ({budget.time_zone})"


def _forecast(source: Source, period: Period, spend: Spend) -> Decimal | None:
    if spend.list_cost is None:
        return None
    first = queries.first_request_at(source.ledger)
    return forecast_to_date(spend.list_cost, period, source.clock(), recorded_since=first)
