"""The choice of the precision: measured once, with or without a cache folder."""

import json
from pathlib import Path

import pytest

from colorizer.inference import precision
from colorizer.inference.precision import cache_path, choose_precision, measure_precision


class Clock:
    """Time that passes only while a network runs."""

    def __init__(self, fp32: float, bf16: float) -> None:
        self.now = 0.0
        self.runs = 0
        self._fp32, self._bf16 = fp32, bf16

    def fp32(self) -> None:
        self._pass(self._fp32)

    def bf16(self) -> None:
        self._pass(self._bf16)

    def _pass(self, seconds: float) -> None:
        warming_up = self.runs < 2
        self.runs += 1
        self.now += 100 if warming_up else seconds


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A Xeon without AMX, on which bfloat16 is slower; with nothing in the cache."""
    clock = Clock(0.147, 0.206)
    monkeypatch.setattr(precision, "perf_counter", lambda: clock.now)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("COLORIZER_PRECISION", raising=False)
    return clock


@pytest.mark.parametrize(
    ("fp32", "bf16", "expected"),
    [(0.147, 0.206, "fp32"), (0.060, 0.040, "bf16"), (0.100, 0.095, "fp32")],
)
def test_the_faster_one_is_measured(
    clock: Clock, fp32: float, bf16: float, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    timer = Clock(fp32, bf16)
    monkeypatch.setattr(precision, "perf_counter", lambda: timer.now)
    assert measure_precision(timer.fp32, timer.bf16) == expected


def test_a_choice_is_measured_once(clock: Clock) -> None:
    assert choose_precision("network", clock.fp32, clock.bf16) == "fp32"
    measured = clock.runs
    assert measured > 0
    assert choose_precision("network", clock.fp32, clock.bf16) == "fp32"
    assert clock.runs == measured
    choose_precision("another", clock.fp32, clock.bf16)
    assert clock.runs == 2 * measured


def test_another_computer_measures_again(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    choose_precision("network", clock.fp32, clock.bf16)
    measured = clock.runs
    monkeypatch.setattr(precision, "processor", lambda: "another one")
    choose_precision("network", clock.fp32, clock.bf16)
    assert clock.runs == 2 * measured


@pytest.mark.parametrize("content", ["", "[", "[]", '{"a": 1}', "\xff"])
def test_a_damaged_cache_is_replaced(clock: Clock, content: str) -> None:
    path = cache_path()
    path.parent.mkdir(parents=True)
    path.write_text(content, "latin-1")
    assert choose_precision("network", clock.fp32, clock.bf16) == "fp32"
    assert "fp32" in json.loads(path.read_text()).values()


def test_an_unwritable_cache_does_no_harm(clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert choose_precision("network", clock.fp32, clock.bf16) == "fp32"
    assert choose_precision("network", clock.fp32, clock.bf16) == "fp32"


def test_without_a_home_there_is_no_cache(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(self: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "expanduser", homeless)
    assert choose_precision("network", clock.fp32, clock.bf16) == "fp32"


def test_the_cache_stays_small(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "MAX_CACHED", 2)
    for name in ("a", "b", "c"):
        choose_precision(name, clock.fp32, clock.bf16)
    assert len(json.loads(cache_path().read_text())) == 2


def test_the_environment_decides(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORIZER_PRECISION", "bf16")
    assert choose_precision("network", clock.fp32, clock.bf16) == "bf16"
    assert clock.runs == 0
