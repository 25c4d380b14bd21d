"""Work that one request begins and others report on: responses in the background, runs, batches, jobs, videos. SQL."""

from typing import Final

from monitor.pricing.works import BEGINNINGS
from monitor.records import UNFINISHED, Usage

_READINGS: Final = ("/responses/{id}", "/responses/{id}/cancel", "/chat/completions/{id}")
"""Endpoints whose answer states all that a request used which may have broken off."""

_REPORTS: Final = "'^/(responses|threads|batches|fine_tuning|videos|evals)/'"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def is_unfinished(row: str) -> str:
    """SQL: the answer says that the work goes on. `row` is the alias of rows like those of `requests`."""
    return f"coalesce({row}.answer_status in ({_listed(UNFINISHED)}), false)"


def begins_work(row: str) -> str:
    """SQL: the request began work that others report on."""
    return f"({row}.method = 'POST' and {row}.endpoint in ({_listed(BEGINNINGS)}))"


def is_line(row: str) -> str:
    """SQL: it is a line of a file that a batch put out."""
    return f"({row}.is_batch and {row}.file_id is not null and {row}.custom_id is not null)"


def is_origin(row: str) -> str:
    """SQL: what the answer is about was caused by this very request."""
    return f"""(
        {row}.response_id is not null and not {is_line(row)} and {row}.usage_source <> 'late'
        and ({begins_work(row)} or {row}.is_billable and not contains({row}.endpoint, '{{id}}'))
    )"""


def has_usage(row: str) -> str:
    """SQL: at least one quantity is stated."""
    return f"(coalesce({', '.join(f'{row}.{name}' for name in Usage.__struct_fields__)}) is not null)"


def is_statement(row: str) -> str:
    """SQL: the answer tells what became of work that another request began; no line of a batch is meant."""
    return f"""(
        {row}.usage_source = 'late'
        or {row}.response_id is not null and (
            {row}.usage_source = 'repeated' and {row}.endpoint in ({_listed(_READINGS)})
            or {row}.usage_source = 'none' and {row}.answer_status is not null and not {is_unfinished(row)}
                and regexp_matches({row}.endpoint, {_REPORTS}) and not {is_origin(row)}
        )
    ) and not {is_line(row)}"""


def may_have_origin(row: str) -> str:
    """SQL: a request of its own can have begun the work; the turns of agents begin by themselves."""
    return f"(not starts_with({row}.endpoint, '/agents/'))"


def work_key(row: str) -> str:
    """SQL: names the work; null where the answer has no id."""
    return f"{row}.provider_name || '/' || {row}.response_id"


def file_key(row: str) -> str:
    """SQL: names the file that a batch put out; null where it has none."""
    return f"{row}.provider_name || '/' || {row}.file_id"


def line_key(row: str) -> str:
    """SQL: names a line of a batch."""
    return f"{row}.provider_name || '/' || {row}.file_id || '/' || {row}.custom_id"
