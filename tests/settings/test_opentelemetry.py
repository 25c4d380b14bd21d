"""Service and environment as OpenTelemetry is told of them."""

from pathlib import Path

import pytest

from monitor.settings import Settings


@pytest.mark.parametrize(
    ("environ", "service", "environment"),
    [
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=shop,deployment.environment.name=prod"}, "shop", "prod"),
        ({"OTEL_RESOURCE_ATTRIBUTES": " service.name = my%20shop%2C%20the , x=y"}, "my shop, the", None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=old"}, None, "old"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=old,deployment.environment.name=new"}, None, "new"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "OTEL_SERVICE_NAME": "b"}, "b", None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "OTEL_SERVICE_NAME": ""}, "a", None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=a", "MONITOR_SERVICE": "c"}, "c", None),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=a", "MONITOR_ENVIRONMENT": "c"}, None, "c"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=,=x,,service.name,%%%,a=b=c"}, None, None),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=%20,deployment.environment.name=%ff"},
            None,
            "\N{REPLACEMENT CHARACTER}",
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": ""}, None, None),
    ],
)
def test_what_opentelemetry_is_told_holds_here(
    environ: dict[str, str], service: str | None, environment: str | None, tmp_path: Path
) -> None:
    """Below our own variables; a fault in it is not ours to complain of."""
    found = Settings.load(environ, tmp_path)

    assert (found.service, found.environment) == (service, environment)


def test_a_variable_of_opentelemetry_wins_over_a_file(tmp_path: Path) -> None:
    """As every variable does."""
    (tmp_path / "monitor.toml").write_text('service = "file"\nenvironment = "file"\n')
    found = Settings.load({"OTEL_RESOURCE_ATTRIBUTES": "service.name=otel"}, tmp_path)

    assert (found.service, found.environment) == ("otel", "file")
