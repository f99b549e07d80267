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
from colorizer.networks.generator import Prediction
from train.model.build import parameter_groups
from train.model.losses import discriminator_loss, generator_loss
from train.model.objective import Batch, Objective, judged_colors
from train.run.config import Phase, TrainConfig
from train.run.engine import StepClock, exact_attention

CRITIC_BETA1 = 0.5  # Radford et al. 2016, sec. 3


class Learner:
    """What learns.

    Args:
        config: how.
        accelerator: where.
        generator: in training mode.
        discriminator: None if the run has no adversarial phase.
        prior: see `Objective`.

    Attributes:
        generator: its weights as of the last step.
        ema: its averaged weights, in `ema.module`.
        discriminator: its weights as of the last step.
        clock: how long data, forward, backward and the optimizer take.
        rate_scale: of all rates; halved by each step that was not a number.
        undefined_steps: how many such steps there were in a row.
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
            self.critic_optimizer = torch.optim.AdamW(
                discriminator.parameters(),
                lr=config.critic_rate,
                betas=(CRITIC_BETA1, 0.999),
                weight_decay=0.0,
                fused=True,
            )
            self.critic = accelerator.prepare(discriminator)
        self.clock = StepClock()
        self.updates = 0  # of the generator
        self.rate_scale = 1.0
        self.undefined_steps = 0

    def step(self, number: int, parts: Sequence[Tensor]) -> dict[str, Tensor]:
        """Do step `number` of the run.

        Both networks learn from the same prediction, so that the discriminator's verdict in an
        adversarial step is the one from before the step.

        Args:
            number: decides phase, rate and all that is random.
            parts: of the batch, uint8 (n, 4, crop, crop) each; their gradients are averaged.

        Returns:
            The weighted losses by name, their sum as "generator", the discriminator's loss, and
            the gradient's "norm"; without gradient.
        """
        phase = self.config.phase_at(number)
        own = (self.config.seed, number, self.accelerator.process_index)  # for dropout
        torch.manual_seed(int(np.random.SeedSequence(own).generate_state(1, np.uint64)[0]))
        statistics = self._statistics()
        sums: dict[str, Tensor] = {}
        for index, pixels in enumerate(parts):
            waits = index < len(parts) - 1  # with sending gradients to the other processes
            with self.clock("data"):
                batch = Batch.of(pixels.to(self.accelerator.device, non_blocking=True))
            with exact_attention(batch.input.device):
                losses = self._learn(phase, batch, waits, 1 / len(parts))
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0) + loss.detach() / len(parts)
        with self.clock("optimizer"):
            sums["norm"] = self._update(phase, number)
            if self.undefined_steps:
                self._restore(statistics)
        return sums

    def _learn(self, phase: Phase, batch: Batch, waits: bool, share: float) -> dict[str, Tensor]:
        """Add to the gradients what one part of a batch says."""
        learns = phase is not Phase.CRITIC
        losses: dict[str, Tensor] = {}
        with self._without_sync(self.network, waits and learns):
            with self.clock("forward"), torch.set_grad_enabled(learns):
                prediction = self.network(batch.input)
            if phase is not Phase.RECONSTRUCTION:
                losses["discriminator"] = self._judge(prediction, batch, waits, share)
            if learns:
                with self.clock("forward"):
                    named = self.objective(prediction, batch)
                    if phase is Phase.ADVERSARIAL:
                        named["adversarial"] = self._fool(prediction, batch)
                    losses |= named | {"generator": torch.stack(list(named.values())).sum()}
                with self.clock("backward"):
                    self.accelerator.backward(share * losses["generator"])
        return losses

    def _judge(self, prediction: Prediction, batch: Batch, waits: bool, share: float) -> Tensor:
        """The discriminator's loss; its gradient is added."""
        output, truth = judged_colors(prediction, batch)
        with self._without_sync(self.critic, waits):
            with self.clock("forward"):
                real = self.critic(batch.lightness, truth)
                fake = self.critic(batch.lightness, output.detach())
                loss = discriminator_loss(self.config.gan, real, fake)
            with self.clock("backward"):
                self.accelerator.backward(share * loss)
        return loss

    def _fool(self, prediction: Prediction, batch: Batch) -> Tensor:
        """The generator's adversarial loss, without gradient to the discriminator."""
        assert self.discriminator is not None
        output, _ = judged_colors(prediction, batch)
        self.discriminator.requires_grad_(False)
        verdict = self.discriminator(batch.lightness, output)
        self.discriminator.requires_grad_(True)
        return self.config.adversarial_weight * generator_loss(self.config.gan, verdict)

    def _update(self, phase: Phase, number: int) -> Tensor:
        """Apply the gradients, unless one isn't a number.

        Returns:
            The norm of the generator's, or of the discriminator's where that learns alone.
        """
        moved: list[tuple[nn.Module, torch.optim.Optimizer]] = []
        if phase is not Phase.RECONSTRUCTION:
            assert self.discriminator is not None
            moved.append((self.discriminator, self.critic_optimizer))
        if phase is not Phase.CRITIC:
            moved.append((self.generator, self.optimizer))
        norms = [
            nn.utils.clip_grad_norm_(network.parameters(), self.config.clip or math.inf)
            for network, _ in moved
        ]
        if all(norm.isfinite() for norm in norms):
            self.undefined_steps = 0
            factor = rate_factor(number, self.config)
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate_scale * factor * group["peak"]
            if self.discriminator is not None:
                for group in self.critic_optimizer.param_groups:
                    group["lr"] = self.rate_scale * self.config.critic_rate
            for _, optimizer in moved:
                optimizer.step()
            if phase is not Phase.CRITIC:
                self.ema.update(self.generator, self.updates)
                self.updates += 1
        else:
            self.undefined_steps += 1
            self.rate_scale /= 2
        for _, optimizer in moved:
            optimizer.zero_grad()
        return norms[-1]

    def _statistics(self) -> list[Tensor]:
        """Copies of what batch norm has gathered, which a step that is no number would spoil."""
        return [buffer.clone() for buffer in self._buffers()]

    def _restore(self, statistics: list[Tensor]) -> None:
        for buffer, before in zip(self._buffers(), statistics, strict=True):
            buffer.copy_(before)

    def _buffers(self) -> list[Tensor]:
        networks = (
            [self.generator] if self.discriminator is None else [self.generator, self.discriminator]
        )
        return [buffer for network in networks for buffer in network.buffers()]

    def _without_sync(self, network: nn.Module, waits: bool) -> AbstractContextManager[Any]:
        return self.accelerator.no_sync(network) if waits else nullcontext()

    def state(self) -> dict[str, Any]:
        """All that `load` needs to go on exactly."""
        state = {
            "generator": self.generator.state_dict(),
            "ema": self.ema.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "prior": self.prior,
            "updates": self.updates,
            "rate_scale": self.rate_scale,
        }
        if self.discriminator is not None:
            state |= {
                "discriminator": self.discriminator.state_dict(),
                "discriminator_config": asdict(self.discriminator.config),
                "critic_optimizer": self.critic_optimizer.state_dict(),
            }
        return state

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.generator.load_state_dict(state["generator"])
        self.ema.module.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.updates = state["updates"]
        self.rate_scale = state["rate_scale"]
        if self.discriminator is not None:
            self.discriminator.load_state_dict(state["discriminator"])
            self.critic_optimizer.load_state_dict(state["critic_optimizer"])


def rate_factor(step: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step: a linear warm-up, then a cosine to 1 % or 1."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.schedule == "constant":
        return 1.0
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))
