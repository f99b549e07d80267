"""Around the step: the clock, signals, memory."""

import signal
import time
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from train.model.step import StepClock, exact_attention
from train.run.engine import StopSignal, explain_dead_workers, keep_freed_memory
from train.run.folder import RunError


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
        with explain_dead_workers():
            raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")
    with pytest.raises(RuntimeError, match="out of memory"), explain_dead_workers():
        raise RuntimeError("out of memory")


@pytest.mark.parametrize(("platform", "calls"), [("darwin", 0), ("linux", 3)])
def test_memory_is_kept_on_linux_alone(
    platform: str, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *option: options.append(option))
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("ctypes.CDLL", lambda name: library)
    keep_freed_memory()
    assert len(options) == calls


def test_without_glibc_no_memory_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("ctypes.CDLL", lambda name: asked.append(name))
    keep_freed_memory()
    assert asked == [None]


def test_attention_keeps_its_gradient_when_values_share_a_large_mean() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(4, 4, 25, 64) for _ in range(3))
    value += 1000
    gradients = []
    for dtype in (torch.bfloat16, torch.float64):
        inputs = [part.bfloat16().to(dtype).requires_grad_() for part in (query, key, value)]
        with exact_attention(torch.device("cpu")):
            output = functional.scaled_dot_product_attention(*inputs)
        output.backward(key.bfloat16().to(dtype))
        gradients.append(inputs[0].grad)
    ours, exact = (gradient.double().flatten() for gradient in gradients)
    assert functional.cosine_similarity(ours, exact, dim=0) > 0.999
