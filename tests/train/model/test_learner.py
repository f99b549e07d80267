"""Learning: the schedule is right, frozen weights stay, micro-batches add up to the whole batch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from tests.helpers.networks import tiny_generator
from tests.helpers.training import ADVERSARIAL, CLEAN, crops_of, settings, start
from train.model.learner import Learner, learning_rate_factor
from train.model.objective import Batch
from train.settings.config import TrainConfig


def test_rate_warms_up_and_decays() -> None:
    config = TrainConfig(photos=1000, batch=1, warmup=100)
    factors = np.array([learning_rate_factor(step, config) for step in range(1000)])
    assert factors[0] == pytest.approx(0.01)
    assert factors[49] == pytest.approx(0.5)
    assert factors[99] == factors[100] == pytest.approx(1)
    assert factors[550] == pytest.approx(0.505, abs=0.01)
    assert factors[999] == pytest.approx(0.01, abs=0.001)
    assert (np.diff(factors[:100]) > 0).all()
    assert (np.diff(factors[100:]) < 0).all()


def test_rate_without_warmup() -> None:
    assert learning_rate_factor(0, TrainConfig(photos=100, batch=1, warmup=0)) == 1


def test_a_constant_rate() -> None:
    config = TrainConfig(photos=100, batch=1, warmup=10, schedule="constant")
    assert learning_rate_factor(4, config) == 0.5
    assert {learning_rate_factor(step, config) for step in range(9, 100)} == {1.0}


@pytest.mark.slow
def test_frozen_weights_do_not_move(photo_folder: Path, tmp_path: Path) -> None:
    config = settings(photo_folder, tmp_path, frozen_stride=4)
    learner, crops = start(config)
    before = {name: value.clone() for name, value in learner.generator.state_dict().items()}
    for step in range(3):
        learner.step(step, [crops_of(crops, config, step)])
    after = learner.generator.state_dict()
    for name, value in before.items():
        if name.startswith(("encoder.conv1", "encoder.layer1")):
            assert torch.equal(after[name], value), name
    for name in ("encoder.layer4.0.conv1.weight", "head.weight"):
        assert not torch.equal(after[name], before[name]), name


@pytest.mark.slow
def test_parts_add_up_to_the_gradient_of_the_whole(photo_folder: Path, tmp_path: Path) -> None:
    """Seen by the weights after one step of plain descent, with batch norm in evaluation mode."""
    config = settings(photo_folder, tmp_path, batch=4, clip=1e9, **CLEAN)
    changes = []
    for count in (1, 2):
        learner, crops = start(config)
        learner.generator.eval()
        learner.optimizer = torch.optim.SGD(
            [{"params": list(learner.generator.parameters()), "peak": 0.1}]
        )
        weight = learner.generator.head.weight.detach().clone()
        learner.step(1, crops_of(crops, config, 0).chunk(count))
        changes.append(learner.generator.head.weight.detach() - weight)
    whole, halves = changes
    assert whole.abs().max() > 0
    assert (whole - halves).abs().max() < 0.01 * whole.abs().max()


@pytest.mark.slow
def test_the_verdict_reaches_the_generator_but_not_the_discriminator(
    photo_folder: Path, tmp_path: Path
) -> None:
    config = settings(photo_folder, tmp_path, **ADVERSARIAL)
    learner, crops = start(config)
    batch = Batch.of(crops_of(crops, config, 0))
    learner._adversarial_loss(learner.network(batch.input), batch).backward()
    assert learner.discriminator is not None
    assert all(value.grad is None for value in learner.discriminator.parameters())
    assert all(value.requires_grad for value in learner.discriminator.parameters())
    assert learner.generator.head.weight.grad.abs().sum() > 0


def test_a_loss_is_needed(photo_folder: Path, tmp_path: Path) -> None:
    config = settings(photo_folder, tmp_path, head="tanh", ab_weight=0.0)
    with pytest.raises(ValueError, match="set --ab-weight, for example"):
        Learner(config, Accelerator(cpu=True), tiny_generator(head="tanh"), None, None)
