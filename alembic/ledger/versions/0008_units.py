"""Prices of more units than tokens, and what they cost: tools, pictures, characters, training, video."""

from alembic import op

revision = "0008"
down_revision = "0007"

_UNITS = ("cache_creation_long", "cache_read_audio", "cache_read_image", '"character"', "trained")

STATEMENTS = (
    *(f"alter table prices add column {unit} decimal(24, 18)" for unit in _UNITS),
    "alter table prices add column others map(varchar, decimal(24, 18))",
    "alter table prices add column is_free boolean",
    "update prices set is_free = coalesce(input, output, audio_second, request) is null",
    "alter table requests add column list_tools_cost decimal(38, 18)",
    "alter table requests add column list_other_cost decimal(38, 18)",
)


def upgrade() -> None:
    """Add them. What is stored keeps its cost, made of the classes there were."""
    for statement in STATEMENTS:
        op.execute(statement)
