"""What completion windows cost at OpenAI stands in the price entries, and no longer in the program."""

from alembic import op

revision = "0011"
down_revision = "0010"

_PRICES = "map(varchar, decimal(24, 18))"

# A null joined with a map is that map.
STATEMENTS = (
    f"""
    update prices set others = map_concat(others, cast(map {{'window:2h': 0.7, 'window:8h': 0.6}} as {_PRICES}))
    where is_current and price_key like 'openai/%'
    """,
)


def upgrade() -> None:
    """Write down what held: so requests are priced by it before the first refresh, which finds no change in it."""
    for statement in STATEMENTS:
        op.execute(statement)
