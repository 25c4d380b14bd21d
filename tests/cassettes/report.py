"""Replays recorded interactions and writes what came of them: `python -m tests.cassettes.report [FOLDER]`.

What was recorded and stored, what it costs, and what differs.
"""

import sys
import tempfile
from pathlib import Path

from monitor.pricing.installed import installed_price_book
from tests.cassettes.campaign import Campaign, run_campaign
from tests.cassettes.compare import explanation_of
from tests.cassettes.costs import costs_of
from tests.cassettes.material import FOLDER, read_rows


def main() -> int:
    """Write the tables, each explained difference and each unexplained one; the exit code says if there is any.

    So it does if a cost is not known and nothing says why.
    """
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with tempfile.TemporaryDirectory() as directory:
        campaign = run_campaign(read_rows(folder), Path(directory) / "home")
    costs = costs_of(campaign, installed_price_book())
    sys.stdout.write(f"{campaign.table()}\n\n{costs.table()}\n\n{_differences(campaign)}\n")
    return 1 if campaign.unexplained or campaign.faults or campaign.quarantined or costs.nameless else 0


def _differences(campaign: Campaign) -> str:
    lines = []
    for found in campaign.found:
        explanation = explanation_of(found)
        why = explanation.reason if explanation else "NOT EXPLAINED"
        lines.append(
            f"{found.row.id} {found.row.kind} {found.field}: {found.expected!r} was recorded, "
            f"{found.stored!r} is stored: {why}"
        )
    lines.append(
        f"{len(campaign.explained_rows)} rows explained, {len(campaign.unexplained)} differences not explained, "
        f"{campaign.faults} faults of the recorder, {campaign.quarantined} lines in quarantine"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
