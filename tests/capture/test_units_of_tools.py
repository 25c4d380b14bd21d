"""What the provider's own tools did for a response: calls, containers, and a model that draws."""

import pytest

from tests.capture.told_units import Facts, told_by


def _response(*output: object, tools: object = None, **fields: object) -> Facts:
    return {
        "id": "resp_1",
        "status": "completed",
        "output": list(output),
        "tools": [{"type": "web_search"}] if tools is None else tools,
        **fields,
    }


def _search(action: object) -> Facts:
    return {"type": "web_search_call", "action": action}


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        (_response(_search({"type": "search"}), _search({"type": "open_page"})), {"web_search": 1}),
        (_response(_search({"type": "find_in_page"})), None),
        (_response({"type": "web_search_call"}, _search("x"), _search({})), {"web_search": 3}),
        (_response(_search({"type": "search"}), tool_usage={"web_search": {"num_requests": 4}}), {"web_search": 4}),
        (_response(_search({"type": "search"}), tool_usage={"web_search": {"num_requests": 0}}), None),
        (_response(_search({"type": "search"}), tool_usage={"web_search": {"num_requests": "?"}}), {"web_search": 1}),
        (_response(_search({"type": "search"}), tool_usage="x"), {"web_search": 1}),
        (
            _response(_search({"type": "search"}), tools=[{"type": "web_search_preview_2025_03_11"}]),
            {"web_search_preview": 1},
        ),
        (
            _response(_search({"type": "search"}), tools=[{"type": "web_search"}, {"type": "web_search_preview"}]),
            {"web_search": 1},
        ),
        (
            _response(
                *({"type": f"{tool}_call"} for tool in ("file_search", "file_search", "image_generation", "computer")),
                {"type": "mcp_call"},
                {"type": "function_call"},
                {"type": "local_shell_call"},
                {"type": "shell_call", "environment": {"type": "local"}},
                {"type": "shell_call", "environment": None},
                tools=[{"type": "file_search"}],
            ),
            {"file_search": 2, "image_generation": 1, "computer": 1, "mcp": 1, "shell": 1},
        ),
        (_response({"type": "function_call"}, tools=[{"type": "function", "parameters": {}}]), None),
        (_response({"type": "file_search_call"}, 17, None, ["x"], {"type": ["x"]}, {"type": "new_call"}), (1,)),
        (_response(_search({"type": "search"}), tools="x"), None),
        (_response(_search({"type": "search"}), tools=[17, None]), None),
    ],
)
def test_calls_of_the_providers_tools_are_counted(body: object, calls: object) -> None:
    """What costs by the call is counted; what the program runs itself, and pages that are opened, are not."""
    expected = {"file_search": 1} if isinstance(calls, tuple) else calls

    assert told_by("POST /responses", body).get("tool_calls") == expected


@pytest.mark.parametrize("unnamed", [{"tools": []}, {"tools": None}, {}], ids=["empty", "null", "absent"])
def test_calls_of_tools_that_the_answer_does_not_name_are_counted(unnamed: Facts) -> None:
    """Some servers do not repeat the tools that they were given."""
    output = [
        _search({"type": "search"}),
        _search({"type": "open_page"}),
        {"type": "file_search_call"},
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "function_call"},
    ]
    drawn = {"image_gen": {"output_tokens": 10}, "web_search": {"num_requests": 3}}
    body = {"id": "resp_1", "status": "completed", "output": output, **unnamed}

    told = told_by("POST /responses", body)
    assert told["tool_calls"] == {"web_search": 1, "file_search": 1, "code_interpreter": 1}
    assert (told["containers"], told.get("container_memory")) == (["cntr_1"], None)
    told = told_by("POST /responses", {**body, "tool_usage": drawn})
    assert told["tool_calls"]["web_search"] == 3
    assert told["tool_usage"]["output_image_tokens"] == 10


def test_an_answer_of_texts_alone_calls_no_tool() -> None:
    """Whatever its texts say of calls."""
    output = [{"type": "message", "content": [{"text": 'a "web_search_call" and "function_call"'}]}]

    assert told_by("POST /responses", {"status": "completed", "output": output}) == {"answer_status": "completed"}


@pytest.mark.parametrize(
    ("tools", "memory"),
    [
        ([{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}], "4g"),
        ([{"type": "code_interpreter", "container": {"type": "auto"}}], "1g"),
        ([{"type": "code_interpreter", "container": "cntr_1"}], None),
        ([{"type": "shell", "environment": {"type": "container_auto", "memory_limit": "16g"}}], "16g"),
        ([{"type": "shell", "environment": {"type": "container_reference", "container_id": "cntr_1"}}], None),
    ],
)
def test_containers_are_named_once(tools: object, memory: str | None) -> None:
    """Each container is named once, with the memory that was asked for it, and no other than what is known."""
    body = _response(
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "code_interpreter_call", "container_id": "cntr_1"},
        {"type": "code_interpreter_call", "container_id": None},
        {"type": "shell_call", "environment": {"type": "container_reference", "container_id": "cntr_2"}},
        tools=tools,
    )

    told = told_by("POST /responses", body)

    assert told["containers"] == ["cntr_1", "cntr_2"]
    assert told.get("container_memory") == memory


def test_the_model_that_draws_has_tokens_of_its_own() -> None:
    """They are no part of the response's usage; what is not split is pictures."""
    usage = {"input_tokens": 60, "output_tokens": 4160, "cached_tokens": 20}
    usage["cached_tokens_details"] = {"cached_text_tokens": 15, "cached_image_tokens": 5}  # type: ignore[assignment]
    tools = [{"type": "web_search"}, {"type": "image_generation", "model": "gpt-image-2"}]

    told = told_by("POST /responses", _response(tools=tools, tool_usage={"image_gen": usage}))

    assert told == {
        "answer_status": "completed",
        "tool_model": "gpt-image-2",
        "tool_usage": {
            "input_tokens": 60,
            "output_tokens": 4160,
            "output_image_tokens": 4160,
            "cache_read_input_tokens": 20,
            "cache_read_image_tokens": 5,
        },
    }


def test_tools_that_were_not_used_say_nothing() -> None:
    """Newer answers state zeros for every tool."""
    unused = {"image_gen": {"input_tokens": 0, "output_tokens": 0}, "web_search": {"num_requests": 0}}

    assert told_by("POST /responses", _response(tool_usage=unused)) == {"answer_status": "completed"}
