"""Work that one request begins and later ones report on: responses in the background, runs, batches, jobs, videos."""

from typing import Final

UNFINISHED: Final = (
    "queued",
    "waiting",
    "pending",
    "validating",
    "validating_files",
    "in_progress",
    "running",
    "requires_action",
    "pausing",
    "paused",
    "finalizing",
    "cancelling",
)
"""Values of `answer_status` after which usage may still come."""

BEGINNINGS: Final = (
    "/responses",
    "/threads/runs",
    "/threads/{id}/runs",
    "/batches",
    "/fine_tuning/jobs",
    "/videos",
    "/videos/edits",
    "/videos/extensions",
    "/videos/{id}/remix",
    "/evals/{id}/runs",
)
"""Endpoints where a POST begins work that goes on after its answer."""
