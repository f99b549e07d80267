"""Precision: the faster one is chosen, by measuring."""

from pathlib import Path

import pytest
import torch

from tests.helpers.training import settings
from train.run import precision
from train.run.precision import choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [({"no": 1.0, "bf16": 0.5}, "bf16"), ({"no": 1.0, "bf16": 10.0}, "no"),
     ({"no": 1.0, "bf16": 0.95}, "no")],
)  # fmt: skip
def test_the_faster_one_is_chosen(
    seconds: dict[str, float], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "_seconds", lambda network, name, device: seconds[name])
    choice, reason = choose_precision(settings("x", tmp_path, mixed_precision="auto"), CPU)
    assert choice == expected
    assert f"{seconds['bf16']:.3f} s in bfloat16" in reason


@pytest.mark.parametrize("set_", ["no", "bf16"])
def test_a_given_precision_is_not_measured(
    set_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "_seconds", lambda *given: pytest.fail("measured"))
    assert choose_precision(settings("x", tmp_path, mixed_precision=set_), CPU) == (set_, "")


@pytest.mark.slow
def test_measuring_changes_no_random_numbers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    choice, _ = choose_precision(settings("x", tmp_path, mixed_precision="auto"), CPU)
    assert choice in ("no", "bf16")
    assert torch.equal(torch.get_rng_state(), before)
