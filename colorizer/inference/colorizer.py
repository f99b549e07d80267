"""Load a checkpoint once, colorize many photos."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from colorizer.checkpoints.checkpoint import WORKING_SIZES, Checkpoint, load_checkpoint
from colorizer.errors import ColorSourceError
from colorizer.imaging.arrays import Plane
from colorizer.inference.colorization import Colorization, NetworkOutput
from colorizer.inference.distribution import Distribution
from colorizer.inference.engines import Engine, file_engine, number_of_threads, torch_engine
from colorizer.inference.faces import find_faces
from colorizer.inference.hints import ColorHint, sample
from colorizer.inference.precision import PRECISIONS
from colorizer.inference.small_faces import WINDOW_SIZE, blend_skin, face_windows, favor_skin
from colorizer.inference.views import MAX_VIEWS, average_views, mirror, second_size
from colorizer.networks.generator import Generator
from colorizer.photo.photo import Photo
from colorizer.sources.reference import ReferenceMatcher

MAX_ASPECT_RATIO = 4  # of the network's input; a strip of 1 x 20,000 pixels would be too long


class Colorizer:
    """Colorizes photos with a checkpoint's network; use `Colorizer.load`.

    One object may serve several threads.

    Attributes:
        checkpoint: of the network.
        engine: runs the network.
        matcher: compares photos with a reference photo.
    """

    def __init__(self, checkpoint: Checkpoint, engine: Engine) -> None:
        self.checkpoint = checkpoint
        self.engine = engine
        self.matcher = ReferenceMatcher(self.encode)

    @classmethod
    def load(
        cls,
        source: str | Path | None = None,
        device: str = "auto",
        onnx: str | Path | None = None,
        precision: str = "auto",
        threads: int | None = None,
    ) -> Self:
        """Load a checkpoint.

        Args:
            source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None
                takes the bundled one.
            device: "auto" (CUDA, then Apple's MPS, then CPU) or a torch device.
            onnx: a file that `export_onnx` made of this checkpoint, to be run on the CPU
                instead: by OpenVINO, which is faster than torch, or else by ONNX Runtime.
            precision: in which torch and OpenVINO compute: "fp32", "bf16" or "auto", the faster
                one on this CPU, which is measured once. The two differ invisibly. In "fp32", other
                computers give nearly the same colors.
            threads: of the CPU, for the network; None uses torch's own number.

        Raises:
            CheckpointError: the checkpoint can't be found or has another format.
            EngineError: the file is of another checkpoint, or nothing can run it.
            ValueError: the device, the precision or the number of threads can't be used.
        """
        if precision not in PRECISIONS:
            raise ValueError(f"precision is {precision!r}; use one of {', '.join(PRECISIONS)}.")
        if threads is not None and threads < 1:
            raise ValueError(f"threads is {threads}; use at least one.")
        if onnx is not None:
            if device not in ("auto", "cpu"):
                raise ValueError(
                    f"An exported file runs on the CPU, not on {device}; take auto or cpu."
                )
            device = "cpu"
        if device == "auto":
            device = (
                "cuda"
                if torch.cuda.is_available()
                else "mps"
                if torch.backends.mps.is_available()
                else "cpu"
            )
        try:
            chosen = torch.empty(0, device=device).device
        except (RuntimeError, AssertionError) as error:  # a torch without CUDA asserts
            raise ValueError(f"The device {device} can't be used; take auto or cpu.") from error
        checkpoint = load_checkpoint(source)
        if onnx is None:
            return cls(checkpoint, torch_engine(checkpoint.generator, chosen, precision, threads))
        return cls(checkpoint, file_engine(Path(onnx), checkpoint, threads, precision))

    @property
    def precision(self) -> str:
        """In which the network computes: "fp32" or "bf16"."""
        return self.engine.precision

    def colorize(
        self,
        photo: Photo,
        hints: Sequence[ColorHint] = (),
        working_size: int | None = None,
        views: int = 1,
    ) -> Colorization:
        """Colorize a photo; its own colors, if it has any, are ignored.

        Args:
            photo: any size.
            hints: colors that are known, in pixels of the photo.
            working_size: short side in pixels at which the network sees the photo, 192 to 512.
                Larger finds smaller things, smaller paints large areas more evenly. None takes the
                checkpoint's own. Small faces are predicted again, enlarged.
            views: how often the network sees the photo, 1 or 2: the second time mirrored and a
                ninth larger, and what it predicts is averaged. The averaged distribution is what
                the confidence, suggestions, alternatives and hints use, and what small faces are
                blended into.

        Raises:
            ValueError: the working size or the number of views is out of range, or a hint outside
                the photo.
        """
        short = self.checkpoint.working_size if working_size is None else working_size
        if not WORKING_SIZES[0] <= short <= WORKING_SIZES[1]:
            raise ValueError(
                f"The working size is {short}; "
                f"it goes from {WORKING_SIZES[0]} to {WORKING_SIZES[1]}."
            )
        if not 1 <= views <= MAX_VIEWS:
            raise ValueError(f"views is {views}; it goes from 1 to {MAX_VIEWS}.")
        size = network_size(photo.size, short)
        samples = sample(hints, photo.size, size)
        pictures = [photo.resized_lightness(size)]
        if views > 1:
            pictures.append(mirror(photo.resized_lightness(second_size(size, short))))
        predicted, *again = self.predict(pictures)
        for second in again:
            predicted = average_views(predicted, second)
        return Colorization(photo, self._improve_small_faces(photo, predicted), samples=samples)

    def predict(self, pictures: Sequence[Plane]) -> list[NetworkOutput]:
        """Run the network, and nothing else; the results are in the CPU's memory.

        Args:
            pictures: L* (h, w) of photos at the working size.
        """
        return [
            self._output(lightness, *colors)
            for lightness, colors in zip(pictures, self.engine.run(pictures), strict=True)
        ]

    def encode(self, lightness: Plane) -> Tensor:
        """Compute the encoder's features at stride 16, by which places in photos are compared.

        Args:
            lightness: (h, w) float32 L*.

        Returns:
            (C, h / 16, w / 16) float32 in the CPU's memory, sides rounded up.

        Raises:
            ColorSourceError: the checkpoint's network has no such encoder.
        """
        generator = self.checkpoint.generator
        if not isinstance(generator, Generator):
            raise ColorSourceError(
                f"The checkpoint {self.checkpoint.source} can't compare photos; "
                "use one of the architecture unet.",
                "checkpoint",
            )
        batch = torch.from_numpy(lightness)[None, None].to(self.engine.device)
        with number_of_threads(self.engine.threads), torch.inference_mode():
            features = generator.encode(batch)[3][0].float().cpu()
        height, width = lightness.shape
        return features[:, : -(-height // 16), : -(-width // 16)].clone()

    def _output(self, lightness: Plane, ab: Plane, logits: Tensor | None) -> NetworkOutput:
        generator, distribution = self.checkpoint.generator, None
        if logits is not None and isinstance(generator, Generator):
            distribution = Distribution(logits, generator.bins.cpu(), generator.config.temperature)
        scaling = generator.config.confidence if isinstance(generator, Generator) else (1.0, 0.0)
        return NetworkOutput(lightness, ab, distribution, scaling, self.checkpoint.sha256)

    def _improve_small_faces(self, photo: Photo, first: NetworkOutput) -> NetworkOutput:
        """Predict each small face again, enlarged, and insert the result."""
        generator = self.checkpoint.generator
        if first.distribution is None or not isinstance(generator, Generator):
            return first
        input_size = first.lightness.shape[0], first.lightness.shape[1]
        found = list(face_windows(find_faces(photo), photo.size, input_size))
        if not found:
            return first
        parts = [
            photo.transformed(partial(window.crop_photo, input_size=input_size)) for window in found
        ]
        looks = self.predict([part.resized_lightness((WINDOW_SIZE, WINDOW_SIZE)) for part in parts])
        ab, logits = first.ab.copy(), first.distribution.logits.clone()
        for window, closer in zip(found, looks, strict=True):
            assert closer.distribution is not None
            look = favor_skin(closer.ab, closer.distribution, generator.config.chroma_gain, window)
            blend_skin((ab, logits), look, first.lightness, window)
        return replace(first, ab=ab, distribution=replace(first.distribution, logits=logits))


def network_size(size: tuple[int, int], short: int) -> tuple[int, int]:
    """Return the (height, width) of the network's input for a photo of `size`.

    Its short side is `short`, less for extreme strips.
    """
    scale = min(short / min(size), MAX_ASPECT_RATIO * short / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
