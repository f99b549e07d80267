"""Engines run a network: torch, or OpenVINO and ONNX Runtime with an exported file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from colorizer.checkpoints.checkpoint import AnyGenerator, Checkpoint
from colorizer.errors import EngineError
from colorizer.imaging.arrays import Plane

Colors = tuple[Plane, Tensor | None]  # ab (2, h, w), and logits (bins, ceil(h / 4), ceil(w / 4))
PRECISIONS = ("auto", "fp32", "bf16")
ENGINES = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}  # the fastest first


@dataclass(frozen=True)
class Engine:
    """Runs a network; several threads may share one.

    Attributes:
        name: "torch", "OpenVINO" or "ONNX Runtime".
        device: where torch runs the network; the CPU for the others.
        run: predicts the colors of pictures, L* (h, w) float32 each, one after the other.
    """

    name: str
    device: torch.device
    run: Callable[[Sequence[Plane]], list[Colors]]

    def __call__(self, lightness: Plane) -> Colors:
        """Predict the colors of one picture, L* (h, w) float32."""
        return self.run([lightness])[0]


def make_engine(name: str, device: torch.device, run: Callable[[Plane], Colors]) -> Engine:
    """Make an engine of a function that predicts the colors of one picture."""
    return Engine(name, device, lambda pictures: [run(lightness) for lightness in pictures])


def torch_engine(generator: AnyGenerator, device: torch.device, precision: str = "fp32") -> Engine:
    """Run a generator, which is moved to the device.

    Args:
        generator: what to run.
        device: on which.
        precision: see `takes_bfloat16`; torch keeps to float32 where it holds that for necessary.
    """
    network = generator.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    bfloat16 = takes_bfloat16(precision, device)

    def run(lightness: Plane) -> Colors:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            prediction = network(torch.from_numpy(lightness)[None, None].to(device))
        ab = prediction.ab[0].float().cpu().numpy()
        return ab, None if prediction.logits is None else prediction.logits[0].float().cpu()

    return make_engine("torch", device, run)


def takes_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16: for "bf16", not for "fp32", and for "auto" on a CPU that has
    it. There it takes two thirds of the time, and changes colors by less than is visible.
    """
    return precision == "bf16" or (precision == "auto" and has_bfloat16(device))


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device is a CPU that computes in bfloat16 itself; where it is imitated, it is slow.

    Older versions of PyTorch, as 2.8, don't tell: then no CPU is known to.
    """
    told: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and any(told.get(name) for name in ("avx512_bf16", "amx_bf16"))


def file_engine(
    path: Path, checkpoint: Checkpoint, threads: int, precision: str = "fp32"
) -> Engine:
    """Run an exported file on the CPU, in the fastest engine that is installed.

    Args:
        path: of the file.
        checkpoint: from which it must have been exported.
        threads: how many to use.
        precision: see `takes_bfloat16`; ONNX Runtime has float32 alone.

    Raises:
        EngineError: no engine is installed, the file can't be read, or it was exported from another
            checkpoint.
    """
    if not path.is_file():
        raise EngineError(f"{path} is no file; write it with colorizer export.")
    package = next((name for name in ENGINES if find_spec(name)), None)
    if package is None:
        raise EngineError(
            f"{path} needs OpenVINO or ONNX Runtime; install colorizer with its extra openvino or "
            "onnx, or go without the file."
        )
    try:
        engine, sha256 = (
            openvino_engine(path, threads, takes_bfloat16(precision, torch.device("cpu")))
            if package == "openvino"
            else onnx_engine(path, threads)
        )
    except Exception as error:  # each engine has its own
        raise EngineError(
            f"{ENGINES[package]} can't run {path}; check that colorizer export wrote it."
        ) from error
    if sha256 != checkpoint.sha256:
        raise EngineError(f"{path} was not exported from this checkpoint; export it again.")
    return engine


def openvino_engine(path: Path, threads: int, bfloat16: bool = False) -> tuple[Engine, str]:
    """Run an exported file in OpenVINO.

    Args:
        path: of the file.
        threads: how many to use.
        bfloat16: whether to compute in it, where the CPU can; faster and not as exact.

    Returns:
        The engine, and the SHA-256 of the checkpoint that the file says it is from.
    """
    import openvino

    model = openvino.Core().read_model(path)
    said = model.get_rt_info()
    sha256 = said["framework"]["sha256"].astype(str) if "framework" in said else ""
    compiled = openvino.compile_model(
        model,
        "CPU",
        {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
            "PERFORMANCE_HINT": "LATENCY",
        },
    )

    def run(lightness: Plane) -> Colors:
        request = compiled.create_infer_request()  # one per call: threads must not share it
        return colors(list(request.infer({"lightness": lightness[None, None]}).values()))

    return make_engine(ENGINES["openvino"], torch.device("cpu"), run), sha256


def onnx_engine(path: Path, threads: int) -> tuple[Engine, str]:
    """Run an exported file in ONNX Runtime; see `openvino_engine`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(lightness: Plane) -> Colors:
        return colors(session.run(None, {"lightness": lightness[None, None]}))

    sha256 = session.get_modelmeta().custom_metadata_map.get("sha256", "")
    return make_engine(ENGINES["onnxruntime"], torch.device("cpu"), run), sha256


def colors(outputs: list[Plane]) -> Colors:
    """What an exported graph gave: ab, and the logits if it has them."""
    logits = torch.from_numpy(np.array(outputs[1][0])) if len(outputs) > 1 else None
    return np.array(outputs[0][0]), logits
