"""What a line must say, and what stands in the ledger of a world after a drain."""

from monitor.ledger import queries
from tests.world import ALWAYS, World

REQUIRED = ("record_id", "attempt", "started_at", "provider_name", "operation_name", "endpoint")


def reasons(world: World) -> list[str]:
    """Why lines stand in quarantine."""
    return [row["reason"] for row in queries.quarantined_lines(world.ledger, limit=100)]


def stored_requests(world: World) -> int:
    """How many requests the ledger knows."""
    return queries.totals(world.ledger, ALWAYS).requests
