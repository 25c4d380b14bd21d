"""Work that one request begins and later ones report on: responses in the background, runs, batches, jobs, videos."""

from typing import Final

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
