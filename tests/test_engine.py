"""Around the step: the clock, signals, memory."""

import signal
import time

import pytest

from train.engine import StepClock, StopSignal, dead_workers_explained, keep_freed_memory
from train.run import RunError


def test_the_clock_adds_up_parts_and_starts_anew() -> None:
    clock = StepClock()
    for _ in range(2):
        with clock("forward"):
            time.sleep(0.01)
    time.sleep(0.01)
    seconds = clock.read()
    assert 0.02 <= seconds["forward"] <= seconds["all"] - 0.01
    assert set(clock.read()) == {"all"}


def test_a_signal_is_noted_and_the_second_one_acts() -> None:
    before = signal.getsignal(signal.SIGINT)
    stop = StopSignal()
    with stop.caught():
        assert stop.number is None
        signal.raise_signal(signal.SIGINT)
        assert stop.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


def test_a_dead_worker_is_told_from_other_errors() -> None:
    with pytest.raises(RunError, match="continue with --resume --workers 0"):  # noqa: SIM117
        with dead_workers_explained():
            raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")
    with pytest.raises(RuntimeError, match="out of memory"), dead_workers_explained():
        raise RuntimeError("out of memory")


def test_keeping_memory_is_harmless_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    keep_freed_memory()
