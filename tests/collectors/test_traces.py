"""Traces are imported to the token: what the files hold is what the ledger says."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.collectors.made import (
    COLUMNS,
    REAL_BURSTGPT,
    REAL_MOONCAKE,
    ROWS,
    burstgpt,
    imported,
    json_lines,
    parquet,
    refused,
    run,
    segments,
    stored,
)

_SUMS = "count(*), sum(input_tokens), sum(output_tokens)"


@pytest.mark.skipif(not REAL_MOONCAKE.is_file(), reason="the trace of Mooncake is not beside the checkout")
def test_the_real_trace_of_mooncake_is_imported_to_the_token(tmp_path: Path) -> None:
    """Rows, tokens, reuse and the last moment are the file's own."""
    table = pq.read_table(REAL_MOONCAKE)
    blocks = pc.multiply(table["prefix_blocks_seen_before"].cast("int64"), 512)
    reused = pc.sum(pc.min_element_wise(blocks, table["input_tokens"].cast("int64"))).as_py()
    totals = [table.num_rows, *(pc.sum(table[name]).as_py() for name in ("input_tokens", "output_tokens"))]

    told = imported(tmp_path, REAL_MOONCAKE, "--model", "kimi-k2")

    assert f"Imported {table.num_rows:,} requests" in told
    assert stored(tmp_path, f"{_SUMS}, sum(cache_read_input_tokens)") == [(*totals, reused)]
    first = "cast(min(started_at) as varchar), max(epoch_ms(started_at)) - min(epoch_ms(started_at))"
    assert stored(tmp_path, first) == [("2026-11-01 00:00:00", pc.max(table["timestamp_ms"]).as_py())]
    assert stored(tmp_path, "count(distinct record_id)") == [(table.num_rows,)]
    assert stored(tmp_path, "distinct model, pricing_state, usage_source") == [("kimi-k2", "priced", "imported")]


@pytest.mark.skipif(not REAL_BURSTGPT.is_file(), reason="the trace BurstGPT is not beside the checkout")
def test_the_real_rows_of_burstgpt_are_imported_to_the_token(tmp_path: Path) -> None:
    """By model, with the failed ones; what failed without a token has unknown usage, not zero."""
    with REAL_BURSTGPT.open(newline="") as file:
        rows = list(csv.DictReader(file))
    totals: dict[str, Counter[str]] = {}
    for row in rows:
        mine = totals.setdefault(row["Model"], Counter())
        mine.update(rows=1, failed=row["Response tokens"] == "0")
        mine.update(asked=int(row["Request tokens"]), answered=int(row["Response tokens"]))

    imported(tmp_path, REAL_BURSTGPT)

    found = f"model, {_SUMS}, count(*) filter (outcome = 'failed')"
    assert stored(tmp_path, found, "group by model") == [
        (model, mine["rows"], mine["asked"], mine["answered"], mine["failed"]) for model, mine in sorted(totals.items())
    ]
    assert stored(tmp_path, "count(*)", "where outcome = 'failed' and input_tokens is null") == [(17,)]


def test_a_row_of_burstgpt_becomes_a_request(tmp_path: Path) -> None:
    """Its time from the given start, the kind of log as feature; what the file does not say stays unknown."""
    imported(tmp_path, burstgpt(tmp_path, ROWS[1]), "--team", "campus")

    what = "provider_name, request_model, input_tokens, output_tokens, outcome, feature, service, team"
    assert stored(
        tmp_path, f"cast(started_at as varchar), {what}, duration, status, session, cache_read_input_tokens"
    ) == [
        (
            *("2026-11-01 00:00:45", "azure.ai.openai", "ChatGPT", 1_087, 230, "completed", "API log"),
            *("burstgpt", "campus", None, None, None, None),
        )
    ]


def test_a_failed_row_has_no_usage_and_counts_as_an_error(tmp_path: Path) -> None:
    """0, 0, 0 says that nothing is known, not that nothing was used; one that lacks only its answer has its input."""
    imported(tmp_path, burstgpt(tmp_path, ROWS[3], "9,ChatGPT,30,0,30,API log"))

    what = "usage_source, input_tokens, output_tokens, outcome, error_class"
    assert stored(tmp_path, what) == [
        ("imported", 30, 0, "failed", "server"),
        ("none", None, None, "failed", "server"),
    ]


def test_the_later_files_of_burstgpt_have_sessions_and_durations(tmp_path: Path) -> None:
    """In columns between the others; blank ones are unknown. Times may have a fraction."""
    columns = COLUMNS.replace(",Model", ",Session ID,Elapsed time,Model")
    rows = ("19440110.5,1722ac82,43,GPT-4,906,446,1352,Conversation log", "19440111.0,,,ChatGPT,36,29,65,API log")

    imported(tmp_path, burstgpt(tmp_path, *rows, columns=columns))

    assert stored(tmp_path, "cast(started_at as varchar), session, duration") == [
        ("2027-06-14 00:01:50.5", "1722ac82", 43.0),
        ("2027-06-14 00:01:51", None, None),
    ]


def test_models_are_renamed_and_others_keep_their_names(tmp_path: Path) -> None:
    """Prices hold for names of the price list."""
    imported(tmp_path, burstgpt(tmp_path), "--model", "GPT-4=gpt-4-0613", "--provider", "openai")

    assert stored(tmp_path, "distinct model, pricing_state", "where outcome = 'completed'") == [
        ("ChatGPT", "unpriced"),
        ("gpt-4-0613", "priced"),
    ]


def test_a_model_that_no_row_names_is_a_mistake(tmp_path: Path) -> None:
    """Once imported under a wrong name it cannot be taken back."""
    told = refused(tmp_path, burstgpt(tmp_path), "--model", "chatgpt=gpt-3.5-turbo")

    assert "No row of" in told
    assert "'chatgpt'; there are: ChatGPT, GPT-4." in told


def test_published_lines_of_mooncake_tell_what_a_cache_could_have_served(tmp_path: Path) -> None:
    """Leading blocks of 512 tokens that an earlier request had, at most the whole prompt."""
    rows: list[dict[str, Any]] = [
        {"timestamp": 0, "input_length": 1_200, "output_length": 52, "hash_ids": [46, 47, 48]},
        {"timestamp": 3_053, "input_length": 1_100, "output_length": 26, "hash_ids": [46, 47, 50]},
        {"timestamp": 4_000, "input_length": 900, "output_length": 1, "hash_ids": [46, 47]},
        {"timestamp": 5_000, "input_length": 600, "output_length": 3, "hash_ids": [51, 46]},
        {"timestamp": 6_000, "input_length": 600, "output_length": 3},
    ]

    imported(tmp_path, json_lines(tmp_path, rows))

    assert stored(tmp_path, "epoch_ms(started_at) % 60000, input_tokens, cache_read_input_tokens, model") == [
        (0, 1_200, 0, None),
        (3_053, 1_100, 1_024, None),
        (4_000, 900, 900, None),
        (5_000, 600, 0, None),
        (6_000, 600, None, None),
    ]


def test_a_parquet_file_of_many_bites_keeps_its_order(tmp_path: Path) -> None:
    """Row groups and bites do not show."""
    size = 9_000
    columns = {
        "timestamp_ms": list(range(size)),
        "input_tokens": [row + 1 for row in range(size)],
        "output_tokens": [1] * size,
        "prefix_blocks_seen_before": [0] * size,
    }

    imported(tmp_path, parquet(tmp_path, columns))

    assert stored(tmp_path, f"{_SUMS}, count(distinct record_id)") == [(size, size * (size + 1) // 2, size, size)]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace(",472,18,490,", ', 472,"18",490.0,'),
    ],
    ids=["mark of byte order", "ends of lines of Windows", "no last end of line", "blank lines", "blanks and quotes"],
)
def test_how_a_file_was_saved_changes_nothing(tmp_path: Path, change: Any) -> None:
    """Programs that save CSV differ in these."""
    path = burstgpt(tmp_path)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8", newline="")

    imported(tmp_path, path)

    assert stored(tmp_path, _SUMS) == [(4, 1_976, 524)]


def test_without_a_start_nothing_is_imported(tmp_path: Path) -> None:
    """Seconds from an unknown day are no time."""
    done = run(tmp_path, burstgpt(tmp_path))

    assert "give the moment of its second 0, such as --start 2026-11-01" in str(done.exception)


def test_a_dry_run_says_what_is_there_and_imports_nothing(tmp_path: Path) -> None:
    """Models, rows, failures and tokens."""
    told = imported(tmp_path, burstgpt(tmp_path), "--dry-run")

    assert "holds 4 requests; nothing was imported." in told
    cells = [cell.strip() for cell in told.splitlines()[-2].split("│")]
    assert cells[1:-1] == ["GPT-4", "1", "0", "417", "–", "276"]
    assert segments(tmp_path) == []
