"""Engines run a network: torch, or OpenVINO and ONNX Runtime with an exported file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from colorizer.checkpoints.checkpoint import AnyGenerator, Checkpoint
from colorizer.errors import EngineError
from colorizer.imaging.arrays import Plane
from colorizer.inference.precision import choose_precision

Colors = tuple[Plane, Tensor | None]  # ab (2, h, w), and logits (bins, ceil(h / 4), ceil(w / 4))
Run = Callable[[Sequence[Plane]], list[Colors]]  # predicts the colors of pictures, L* (h, w) each
ENGINES = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}  # by package, fastest first
MEASURED_SIZE = (96, 128)  # (height, width) of the picture that precisions are measured with
BATCH_PIXELS = 4 * 160**2  # four windows around small faces: about as many as a photo has
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Engine:
    """Runs a network; several threads may share one.

    Attributes:
        name: "torch", "OpenVINO" or "ONNX Runtime".
        device: where torch runs the network; the CPU for the others.
        run: predicts the colors of pictures, L* (h, w) float32 each; torch runs small ones of one
            size together, which takes less time.
        precision: in which it computes, "fp32" or "bf16".
        threads: of the CPU; None uses torch's own number.
    """

    name: str
    device: torch.device
    run: Run
    precision: str = "fp32"
    threads: int | None = None

    def __call__(self, lightness: Plane) -> Colors:
        """Predict the colors of one picture, L* (h, w) float32."""
        return self.run([lightness])[0]


def make_engine(name: str, device: torch.device, run: Callable[[Plane], Colors]) -> Engine:
    """Make an engine of a function that predicts the colors of one picture in float32."""
    return Engine(name, device, one_by_one(run))


def one_by_one(run: Callable[[Plane], Colors]) -> Run:
    """A function that predicts the colors of pictures one after the other."""
    return lambda pictures: [run(lightness) for lightness in pictures]


def torch_engine(
    generator: AnyGenerator,
    device: torch.device,
    precision: str = "fp32",
    threads: int | None = None,
) -> Engine:
    """Run a generator with torch.

    Args:
        generator: to run; moved to the device.
        device: where to run it.
        precision: "fp32", "bf16", or "auto": on a CPU the faster one, else "fp32". In "bf16" the
            parts that need float32 keep it.
        threads: of the CPU; None uses torch's own number.
    """
    network = generator.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @cache
    def make(precision: str) -> Run:
        return torch_run(network, device, precision == "bf16", threads)

    if precision == "auto":
        name = f"torch {threads} {generator.config}"
        precision = fastest(name, make) if device.type == "cpu" else "fp32"
    return Engine("torch", device, make(precision), precision, threads)


def torch_run(
    network: AnyGenerator, device: torch.device, bfloat16: bool, threads: int | None
) -> Run:
    """A function that runs a network with torch; see `torch_engine`."""
    if bfloat16:
        network = with_bfloat16_weights(network)

    def run(pictures: Sequence[Plane]) -> list[Colors]:
        found: list[Colors] = []
        for batch in batches(pictures):
            with (
                number_of_threads(threads),
                torch.inference_mode(),
                torch.autocast(device.type, torch.bfloat16, enabled=bfloat16),
            ):
                prediction = network(torch.from_numpy(np.stack(batch))[:, None].to(device))
            logits = prediction.logits
            found += zip(
                prediction.ab.float().cpu().numpy(),
                [None] * len(batch) if logits is None else logits.float().cpu(),
                strict=True,
            )
        return found

    return run


def batches(pictures: Sequence[Plane]) -> Iterator[list[Plane]]:
    """Put neighbors of one size together, up to `BATCH_PIXELS`; a larger picture stays alone."""
    batch: list[Plane] = []
    for picture in pictures:
        if batch and (
            picture.shape != batch[0].shape or (1 + len(batch)) * picture.size > BATCH_PIXELS
        ):
            yield batch
            batch = []
        batch.append(picture)
    if batch:
        yield batch


def with_bfloat16_weights(network: AnyGenerator) -> AnyGenerator:
    """Copy a network, with bfloat16 weights in its convolutions and linear layers.

    Autocast would convert them at every call.
    """
    converted = {  # by the identity of the weights, so that `deepcopy` takes these instead
        id(weights): nn.Parameter(weights.detach().to(torch.bfloat16), requires_grad=False)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
        for weights in layer.parameters(recurse=False)
    }
    return deepcopy(network, converted)


@contextmanager
def number_of_threads(threads: int | None) -> Iterator[None]:
    """Set the number of torch's threads inside the block, and restore it afterwards."""
    before = torch.get_num_threads()
    if threads in (None, before):
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fastest(network: str, make: Callable[[str], Run]) -> str:
    """The faster precision of a network on this CPU.

    Args:
        network: identifies the network and what runs it.
        make: makes what runs the network in a precision; called only if it must be measured.
    """
    height, width = MEASURED_SIZE
    picture = np.linspace(0, 100, height * width, dtype=np.float32).reshape(height, width)
    return choose_precision(
        network, lambda: make("fp32")([picture]), lambda: make("bf16")([picture])
    )


def has_bfloat16() -> bool:
    """Whether the CPU has bfloat16 instructions; unknown, and so False, before PyTorch 2.9."""
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def file_engine(
    path: Path, checkpoint: Checkpoint, threads: int | None = None, precision: str = "fp32"
) -> Engine:
    """Run an exported file on the CPU, with the fastest engine that is installed.

    Args:
        path: of the file.
        checkpoint: which the file was exported from.
        threads: of the CPU; None uses torch's number.
        precision: "fp32", "bf16", or "auto", the faster one. ONNX Runtime always uses "fp32".

    Raises:
        EngineError: no engine is installed, the file can't be read, or it was exported from another
            checkpoint.
    """
    if not path.is_file():
        raise EngineError(f"{path} is not a file; write it with colorizer export.")
    package = next((name for name in ENGINES if find_spec(name)), None)
    if package is None:
        raise EngineError(
            f"{path} needs OpenVINO or ONNX Runtime; install colorizer with its extra openvino or "
            "onnx, or leave the file out."
        )
    threads = threads or torch.get_num_threads()
    try:
        if package == "onnxruntime":
            engine, sha256 = onnx_engine(path, threads)
        else:
            engine, sha256 = openvino_engine(path, threads, precision)
    except Exception as error:  # each engine has its own
        raise EngineError(
            f"{ENGINES[package]} can't run {path}; check that colorizer export wrote it."
        ) from error
    if sha256 != checkpoint.sha256:
        raise EngineError(f"{path} was not exported from this checkpoint; export it again.")
    return engine


def openvino_engine(path: Path, threads: int, precision: str = "fp32") -> tuple[Engine, str]:
    """Run an exported file in OpenVINO.

    Args:
        path: of the file.
        threads: of the CPU.
        precision: "fp32", "bf16" or "auto"; without bfloat16 instructions, OpenVINO uses "fp32".

    Returns:
        The engine, and the SHA-256 of the checkpoint that the file was exported from.
    """
    import openvino

    model = openvino.Core().read_model(path)
    info = model.get_rt_info()
    sha256 = info["framework"]["sha256"].astype(str) if "framework" in info else ""

    @cache
    def make(precision: str) -> Run:
        hints = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        compiled = openvino.compile_model(model, "CPU", hints)

        def run(lightness: Plane) -> Colors:
            request = compiled.create_infer_request()  # threads must not share one
            return colors(list(request.infer({"lightness": lightness[None, None]}).values()))

        return one_by_one(run)

    if precision == "auto":
        precision = fastest(f"OpenVINO {sha256} {threads}", make) if has_bfloat16() else "fp32"
    return Engine(ENGINES["openvino"], CPU, make(precision), precision), sha256


def onnx_engine(path: Path, threads: int) -> tuple[Engine, str]:
    """Run an exported file in ONNX Runtime, in float32; see `openvino_engine`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(lightness: Plane) -> Colors:
        return colors(session.run(None, {"lightness": lightness[None, None]}))

    sha256 = session.get_modelmeta().custom_metadata_map.get("sha256", "")
    return make_engine(ENGINES["onnxruntime"], CPU, run), sha256


def colors(outputs: list[Plane]) -> Colors:
    """The outputs of an exported graph: ab, and logits if it has them."""
    logits = torch.from_numpy(np.array(outputs[1][0])) if len(outputs) > 1 else None
    return np.array(outputs[0][0]), logits
