"""The setting `deployments`: names that only the user knows have prices."""

import json
from pathlib import Path

from tests.cli.commands import run, spooled
from tests.factories import make_record, make_usage


def test_a_named_deployment_has_a_price(tmp_path: Path) -> None:
    """Without the setting its cost is not known; with it, it is that of the model."""
    words = ("report", "--since", "2026-11-20", "--until", "2026-11-21", "--json")
    costs = []
    for number, setting in enumerate(["", "our-chat=gpt-4o"]):
        (tmp_path / str(number)).mkdir()
        record = make_record(
            provider_name="azure.ai.openai",
            request_model="our-chat",
            response_model="Our-Chat",
            usage=make_usage(input_tokens=1_000_000, output_tokens=0),
        )
        result = run(spooled(tmp_path / str(number), record), *words, MONITOR_DEPLOYMENTS=setting)
        costs.append(json.loads(result.stdout)["total"]["list_cost"])

    assert costs == [None, "2.5"]
