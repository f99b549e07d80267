"""The networks of a run, their optimizers and averages, and one step of learning."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn

from colorizer.checkpoints.checkpoint import AnyGenerator
from colorizer.networks.discriminator import Discriminator
from colorizer.networks.generator import AB_SCALE, Prediction
from train.model.build import parameter_groups
from train.model.gan import discriminator_loss, generator_loss, r1_penalty
from train.model.objective import Batch, Objective, output_and_truth
from train.model.step import StepClock, exact_attention
from train.settings.config import Phase, TrainConfig

DISCRIMINATOR_BETA1 = 0.5  # Radford et al. 2016, sec. 3


class Learner:
    """The networks of a run and how they learn.

    Args:
        config: losses and rates.
        accelerator: device, precision and processes.
        generator: in training mode.
        discriminator: None if the run has no adversarial phase.
        prior: see `Objective`.

    Attributes:
        generator: its weights as of the last step.
        ema: its averaged weights, in `ema.module`.
        discriminator: its weights as of the last step.
        clock: seconds of data, forward, backward and optimizer.
        rate_scale: factor of all rates; halved by each undefined step.
        undefined_steps: steps in a row whose gradient was not finite.
    """

    def __init__(
        self,
        config: TrainConfig,
        accelerator: Accelerator,
        generator: AnyGenerator,
        discriminator: Discriminator | None,
        prior: Tensor | None,
    ) -> None:
        self.config = config
        self.accelerator = accelerator
        device = accelerator.device
        self.generator = generator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            parameter_groups(generator, config),
            betas=(config.beta1, 0.999),
            weight_decay=config.weight_decay,
            fused=True,
        )
        decay = 0.5 ** (config.batch / config.ema_half_life)
        self.ema = ModelEmaV3(generator, decay, use_warmup=True, warmup_power=0.75)
        self.prior = prior
        self.objective = Objective(config, generator.bins.cpu(), prior, accelerator.autocast).to(
            device
        )
        compiled = torch.compile(generator) if config.compile else generator
        self.network = accelerator.prepare(compiled)
        self.discriminator = discriminator
        if discriminator is not None:
            discriminator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.discriminator_optimizer = torch.optim.AdamW(
                discriminator.parameters(),
                lr=config.discriminator_rate,
                betas=(DISCRIMINATOR_BETA1, 0.999),
                weight_decay=0.0,
                fused=True,
            )
            self.discriminator_network = accelerator.prepare(discriminator)
        self.clock = StepClock()
        self.updates = 0  # of the generator
        self.rate_scale = 1.0
        self.undefined_steps = 0

    def step(self, number: int, micro_batches: Sequence[Tensor]) -> dict[str, Tensor]:
        """Do step `number` of the run.

        Both networks learn from the same prediction, so in an adversarial step the generator's
        loss comes from the discriminator as it was before the step.

        Args:
            number: determines phase, rate and the random numbers.
            micro_batches: uint8 (n, 4, crop, crop) each; their gradients are averaged.

        Returns:
            The weighted losses by name, their sum as "generator", the discriminator's loss, and
            the gradient's "norm"; without gradient.
        """
        phase = self.config.phase_at(number)
        own = (self.config.seed, number, self.accelerator.process_index)  # for dropout
        torch.manual_seed(int(np.random.SeedSequence(own).generate_state(1, np.uint64)[0]))
        statistics = self._statistics()
        sums: dict[str, Tensor] = {}
        share = 1 / len(micro_batches)
        for index, pixels in enumerate(micro_batches):
            sync = index == len(micro_batches) - 1  # send gradients to the other processes
            with self.clock("data"):
                batch = Batch.of(pixels.to(self.accelerator.device, non_blocking=True))
            with exact_attention(batch.input.device):
                losses = self._accumulate_gradients(phase, batch, sync, share)
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0) + loss.detach() * share
        with self.clock("optimizer"):
            sums["norm"] = self._update(phase, number)
            if self.undefined_steps:
                self._restore(statistics)
        return sums

    def _accumulate_gradients(
        self, phase: Phase, batch: Batch, sync: bool, share: float
    ) -> dict[str, Tensor]:
        """Add the gradients of a micro-batch; returns its losses."""
        learns = phase is not Phase.DISCRIMINATOR
        losses: dict[str, Tensor] = {}
        with self._sync_context(self.network, sync or not learns):
            with self.clock("forward"), torch.set_grad_enabled(learns):
                prediction = self.network(batch.input)
            if phase is not Phase.RECONSTRUCTION:
                losses["discriminator"] = self._discriminator_loss(prediction, batch, sync, share)
            if learns:
                with self.clock("forward"):
                    named = self.objective(prediction, batch)
                    if phase is Phase.ADVERSARIAL:
                        named["adversarial"] = self._adversarial_loss(prediction, batch)
                    losses |= named | {"generator": torch.stack(list(named.values())).sum()}
                with self.clock("backward"):
                    self.accelerator.backward(share * losses["generator"])
        return losses

    def _discriminator_loss(
        self, prediction: Prediction, batch: Batch, sync: bool, share: float
    ) -> Tensor:
        """The discriminator's loss, whose gradient is added."""
        output, truth = output_and_truth(prediction, batch)
        with self._sync_context(self.discriminator_network, sync):
            with self.clock("forward"):
                if self.config.r1_weight:
                    truth = truth.detach().requires_grad_(True)
                real = self.discriminator_network(batch.lightness, truth)
                fake = self.discriminator_network(batch.lightness, output.detach())
                loss = discriminator_loss(self.config.gan, real, fake)
                if self.config.r1_weight:
                    scale = AB_SCALE if prediction.rgb is None else 1.0
                    loss = loss + self.config.r1_weight * r1_penalty(real, truth, scale)
            with self.clock("backward"):
                self.accelerator.backward(share * loss)
        return loss

    def _adversarial_loss(self, prediction: Prediction, batch: Batch) -> Tensor:
        """The generator's adversarial loss, without gradient to the discriminator."""
        assert self.discriminator is not None
        output, _ = output_and_truth(prediction, batch)
        self.discriminator.requires_grad_(False)
        logits = self.discriminator(batch.lightness, output)
        self.discriminator.requires_grad_(True)
        return self.config.adversarial_weight * generator_loss(self.config.gan, logits)

    def _update(self, phase: Phase, number: int) -> Tensor:
        """Apply the gradients, unless they are not finite.

        Returns:
            The norm of the generator's gradient, or of the discriminator's if that learns alone.
        """
        trained: list[tuple[nn.Module, torch.optim.Optimizer]] = []
        if phase is not Phase.RECONSTRUCTION:
            assert self.discriminator is not None
            trained.append((self.discriminator, self.discriminator_optimizer))
        if phase is not Phase.DISCRIMINATOR:
            trained.append((self.generator, self.optimizer))
        norms = [
            nn.utils.clip_grad_norm_(network.parameters(), self.config.clip or math.inf)
            for network, _ in trained
        ]
        if all(norm.isfinite() for norm in norms):
            self.undefined_steps = 0
            factor = learning_rate_factor(number, self.config)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate_scale * factor * group["peak"]
            if self.discriminator is not None:
                for group in self.discriminator_optimizer.param_groups:
                    group["lr"] = self.rate_scale * self.config.discriminator_rate
            for _, optimizer in trained:
                optimizer.step()
            if phase is not Phase.DISCRIMINATOR:
                self.ema.update(self.generator, self.updates)
                self.updates += 1
        else:
            self.undefined_steps += 1
            self.rate_scale /= 2
        for _, optimizer in trained:
            optimizer.zero_grad()
        return norms[-1]

    def _statistics(self) -> list[Tensor]:
        """Copies of the statistics of batch norm, which an undefined step would spoil."""
        return [buffer.clone() for buffer in self._buffers()]

    def _restore(self, statistics: list[Tensor]) -> None:
        for buffer, before in zip(self._buffers(), statistics, strict=True):
            buffer.copy_(before)

    def _buffers(self) -> list[Tensor]:
        networks = (
            [self.generator] if self.discriminator is None else [self.generator, self.discriminator]
        )
        return [buffer for network in networks for buffer in network.buffers()]

    def _sync_context(self, network: nn.Module, sync: bool) -> AbstractContextManager[Any]:
        return nullcontext() if sync else self.accelerator.no_sync(network)

    def state(self) -> dict[str, Any]:
        """The state that `load` needs to continue exactly."""
        state = {
            "generator": self.generator.state_dict(),
            "ema": self.ema.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "prior": self.prior,
            "updates": self.updates,
            "rate_scale": self.rate_scale,
            "precision": self.accelerator.mixed_precision,
        }
        if self.discriminator is not None:
            state |= {
                "discriminator": self.discriminator.state_dict(),
                "discriminator_config": asdict(self.discriminator.config),
                "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
            }
        return state

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.generator.load_state_dict(state["generator"])
        self.ema.module.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]
        self.rate_scale = state["rate_scale"]
        if self.discriminator is not None:
            self.discriminator.load_state_dict(state["discriminator"])
            self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])


def learning_rate_factor(step: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step: a linear warm-up, then a cosine to 1 % or 1."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.schedule == "constant":
        return 1.0
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
