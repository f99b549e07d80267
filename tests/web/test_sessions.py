"""Visitors' work in memory: API calls never push it out, a budget in bytes bounds it."""

from dataclasses import dataclass
from functools import cached_property

import gradio as gr
import numpy as np
import pytest

from colorizer.web.server.sessions import MAX_IDLE_SESSIONS, Sessions, memory_of


@dataclass(frozen=True, eq=False)
class Work:
    """A state with an array, like a visitor's."""

    pixels: np.ndarray

    @cached_property
    def more(self) -> np.ndarray:
        return np.zeros(500, np.uint8)


@pytest.fixture
def page() -> gr.Blocks:
    with gr.Blocks() as page:
        gr.State(time_to_live=3600)
        gr.Textbox()
    page.state_session_capacity = 10_000
    return page


def sessions_of(page: gr.Blocks, budget: int, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    monkeypatch.setattr("colorizer.web.server.sessions.MEASURE_SECONDS", 0.0)
    sessions = Sessions(budget, 60)
    sessions.set_blocks(page)
    return sessions


def work_in(sessions: Sessions, page: gr.Blocks, name: str, size: int) -> None:
    [state] = [key for key, block in page.blocks.items() if isinstance(block, gr.State)]
    sessions[name][state] = Work(np.zeros(size, np.uint8))


def test_calls_of_others_leave_a_visitors_work(
    page: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = sessions_of(page, 10_000, monkeypatch)
    work_in(sessions, page, "visitor", 1000)
    for number in range(200):
        sessions[f"call{number}"]
    assert "visitor" in sessions
    assert len(sessions.session_data) == MAX_IDLE_SESSIONS + 1
    assert "call199" in sessions
    assert "call0" not in sessions


@pytest.mark.slow
def test_the_budget_drops_closed_tabs_first_then_the_least_recently_used(
    page: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = sessions_of(page, 2500, monkeypatch)
    for name in ("old", "closed", "new"):
        work_in(sessions, page, name, 1000)
        if name == "closed":
            sessions["closed"].is_closed = True
    assert set(sessions.session_data) == {"old", "closed", "new"}
    sessions["new"]
    assert set(sessions.session_data) == {"old", "new"}
    work_in(sessions, page, "newest", 1000)
    sessions["newest"]
    assert set(sessions.session_data) == {"new", "newest"}
    work_in(sessions, page, "huge", 10_000)
    sessions["huge"]
    assert set(sessions.session_data) == {"huge"}  # the one in use stays, whatever its size


def test_closed_tabs_keep_their_work_as_long_as_files(
    page: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sessions_of(page, 1, monkeypatch)["visitor"].STATE_TTL_WHEN_CLOSED == 60


def test_every_array_counts_once() -> None:
    work = Work(np.zeros(1000, np.uint8))
    assert memory_of([work, {"same": work.pixels}]) == 1000
    assert work.more.size == 500
    assert memory_of(work) == 1500
