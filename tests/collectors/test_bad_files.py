"""A file that is not as it must be is refused before anything is imported, with its name, the row and the value."""

from pathlib import Path
from typing import Any

import pytest

from tests.collectors.made import COLUMNS, ROWS, burstgpt, imported, json_lines, parquet, refused, run, stored

_ROW = {"timestamp": 0, "input_length": 10, "output_length": 1, "hash_ids": [1]}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("5,ChatGPT,many,18,490,API log", "Request tokens is 'many', which is not a number"),
        ("5,ChatGPT,-472,18,490,API log", "Request tokens is '-472'; it must be from 0"),
        ("5,ChatGPT,nan,18,490,API log", "Request tokens is 'nan', which is not a number"),
        ("5,ChatGPT,inf,18,490,API log", "Request tokens is 'inf', which is not a number"),
        ("5,ChatGPT,,18,490,API log", "Request tokens is empty"),
        ("5,ChatGPT,4.5,18,490,API log", "Request tokens is '4.5', which is not a whole number"),
        ("5,ChatGPT,1_0,18,28,API log", "Request tokens is '1_0', which is not a number"),
        ("5,ChatGPT,1e15,18,490,API log", "Request tokens is '1e15'; it must be from 0"),
        ("5,ChatGPT,472,18,491,API log", "Total tokens is 491, not the sum of 472 and 18"),
        ("soon,ChatGPT,472,18,490,API log", "Timestamp is 'soon', which is not a number"),
        ("-5,ChatGPT,472,18,490,API log", "Timestamp is '-5'; it must not be negative"),
        ("1e18,ChatGPT,472,18,490,API log", "Timestamp is '1e18', which is longer than there is time"),
        ("3e11,ChatGPT,472,18,490,API log", "is further away than there is time"),
        ("5,ChatGPT,472,18,490", "it has 5 fields"),
        ("5,ChatGPT,472,18,490,API log,more", "it has 7 fields"),
    ],
)
def test_a_bad_row_of_csv_is_named_and_nothing_is_imported(tmp_path: Path, row: str, reason: str) -> None:
    """The second of three rows."""
    told = refused(tmp_path, burstgpt(tmp_path, ROWS[0], row, ROWS[2]))

    assert "1 of 3 rows cannot be read; nothing was imported." in told
    assert "burst.csv, row 2: " in told
    assert reason in told


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"input_length": "10"}, None),
        ({"input_length": "ten"}, "input_length is 'ten', which is not a number"),
        ({"input_length": None}, "input_length is empty"),
        ({"input_length": True}, "input_length is True, which is not a number"),
        ({"input_length": [10]}, "input_length is [10], which is not a number"),
        ({"output_length": -1}, "output_length is -1; it must be from 0"),
        ({"timestamp": -1}, "timestamp is -1; it must not be negative"),
        ({"hash_ids": "1"}, "hash_ids is not a list of whole numbers"),
        ({"hash_ids": [-1]}, "hash_ids has -1; it must be from 0"),
        ({"hash_ids": [2**40]}, f"hash_ids has {2**40}; it must be from 0"),
    ],
)
def test_a_bad_line_of_json_is_named(tmp_path: Path, change: dict[str, Any], reason: str | None) -> None:
    """A number as text is as good as the number."""
    path = json_lines(tmp_path, [_ROW, _ROW | change])

    if reason is None:
        imported(tmp_path, path)
    else:
        assert f"mooncake.jsonl, row 2: {reason}" in refused(tmp_path, path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"timestamp": 0,', "it is no JSON: "),
        ("[1, 2]", "it is [1, 2], not a JSON object"),
        ('{"timestamp": 0, "input_length": 3}', "it lacks output_length"),
        ('{"timestamp": NaN, "input_length": 3, "output_length": 1}', "it is no JSON: "),
    ],
)
def test_a_line_that_is_no_such_object_is_named(tmp_path: Path, line: str, reason: str) -> None:
    """Cut off, of another kind, or without a field."""
    path = json_lines(tmp_path, [_ROW])
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")

    assert f"mooncake.jsonl, row 2: {reason}" in refused(tmp_path, path)


def test_a_bad_value_of_parquet_is_named(tmp_path: Path) -> None:
    """Unknown is not zero here either."""
    columns: dict[str, list[Any]] = {
        "timestamp_ms": [0, 1, 2],
        "input_tokens": [5, None, 7],
        "output_tokens": [1.0, 2.0, float("nan")],
        "prefix_blocks_seen_before": [0, 0, 0],
    }

    told = refused(tmp_path, parquet(tmp_path, columns))

    assert "2 of 3 rows cannot be read" in told
    assert "mooncake.parquet, row 2: input_tokens is empty." in told
    assert "mooncake.parquet, row 3: output_tokens is nan, which is not a number." in told


def test_other_rows_are_imported_if_one_says_so_and_the_bad_ones_are_told(tmp_path: Path) -> None:
    """The count, the rows and the reasons are printed."""
    path = burstgpt(tmp_path, ROWS[0], "5,ChatGPT,x,1,1,API log", ROWS[2])

    told = imported(tmp_path, path, "--skip-bad-rows")

    assert "1 of 3 rows are left out:" in told
    assert "row 2: Request tokens is 'x'" in told
    assert "Imported 2 requests" in told
    assert stored(tmp_path, "count(*), sum(input_tokens)") == [(2, 889)]
    assert "was imported before: all of its 2 requests are there." in imported(tmp_path, path, "--skip-bad-rows")


def test_of_many_bad_rows_the_first_ones_are_told(tmp_path: Path) -> None:
    """And how many more there are."""
    told = refused(tmp_path, burstgpt(tmp_path, ROWS[0], *["5,ChatGPT,x,1,1,API log"] * 25))

    assert "25 of 26 rows cannot be read" in told
    assert told.count(": Request tokens is 'x'") == 10
    assert "… and 15 more rows." in told


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (COLUMNS.encode(), "has no row that can be imported"),
        (
            b"Timestamp,Model,Log Type\n5,GPT-4,API log\n",
            "BurstGPT, CSV: it lacks the columns Request tokens, Response",
        ),
        (b"a,b\n1,2\n", "is of no format that is known here"),
        (b"PAR1 and no more", "is of no format that is known here"),
        (b"\xff\xfe\x00\x01", "BurstGPT, CSV: its first line is no text"),
        (b'{"timestamp": 0, "input_length": 3}\n', "Mooncake, JSON lines: it lacks output_length"),
        (COLUMNS.encode() + b"\n5,Chat\xff,1,1,2,API log\n", "is not CSV after line"),
        (COLUMNS.encode() + b'\n5,"Chat,1,1,2,API log\n', "is not CSV after line"),
    ],
)
def test_a_file_of_the_wrong_kind_says_what_it_lacks(tmp_path: Path, content: bytes, reason: str) -> None:
    """Empty, without rows, other columns, no text, cut off."""
    path = tmp_path / "odd.csv"
    path.write_bytes(content)

    told = refused(tmp_path, path)

    assert reason in told
    assert "odd.csv" in told


def test_a_damaged_parquet_file_is_refused_as_a_whole(tmp_path: Path) -> None:
    """Its end is good, so that the kind of file is known; a page in its middle is not."""
    names = ("timestamp_ms", "input_tokens", "output_tokens", "prefix_blocks_seen_before")
    path = parquet(tmp_path, {name: list(range(50_000)) for name in names})
    content = bytearray(path.read_bytes())
    content[1_000:3_000] = bytes(2_000)
    path.write_bytes(content)

    assert "is damaged after row" in refused(tmp_path, path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """And a directory as well."""
    assert "missing.csv cannot be read: No such file or directory." in str(
        run(tmp_path, tmp_path / "missing.csv").exception
    )
    assert "cannot be read: Is a directory." in str(run(tmp_path, tmp_path).exception)


def test_a_format_that_there_is_not_is_one_sentence(tmp_path: Path) -> None:
    """It names those that there are; a wrong one says what is missing."""
    path = burstgpt(tmp_path)

    assert "there are auto, mooncake, burstgpt" in refused(tmp_path, path, "--format", "bursty")
    assert "Mooncake, Parquet: it is no Parquet file." in refused(tmp_path, path, "--format", "mooncake")
