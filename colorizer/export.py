"""Export a checkpoint to ONNX: one file that ONNX Runtime and others run without torch.

Normalization, padding and cropping are inside: the graph takes the lightness of a photo of any size
and gives its colors, as `Generator` does.
"""

import copy
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from colorizer.bands import Plane
from colorizer.checkpoints import AnyGenerator, Checkpoint, bundled_folder
from colorizer.generator import Generator
from colorizer.photo import Photo
from colorizer.pipeline import network_size
from colorizer.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # the oldest that torch exports to as it is; ONNX Runtime 1.14 and later run it
PRECISIONS = ("fp32", "fp16", "int8")
NEEDED = ("onnx", "onnxruntime", "onnxscript")
TRACED = (96, 160)  # pixels of the picture that the network is traced with; any size would do
OUTPUTS = {  # with the names of their height and width
    "ab": ("height", "width"),
    "logits": ("rows", "columns"),
}


class ExportError(ValueError):
    """A checkpoint can't be exported; the sentence says why and what to do."""


class Exported(nn.Module):
    """A generator as it is exported: from lightness in float32 to tensors in float32."""

    def __init__(self, generator: AnyGenerator, half: bool) -> None:
        super().__init__()
        self.generator = copy.deepcopy(generator)
        self.type = torch.float32
        if half:
            self.type = torch.float16
            self.generator.half()
            self.generator.bins = generator.bins  # read in float32

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """(1, 1, H, W) L* to ab (1, 2, H, W) and, of heads that predict a distribution, its logits
        (1, bins, ceil(H / 4), ceil(W / 4)).
        """
        prediction = self.generator(lightness.to(self.type))
        ab = prediction.ab.float()
        return (ab,) if prediction.logits is None else (ab, prediction.logits)


def export_onnx(
    checkpoint: Checkpoint, path: Path, precision: str = "fp32", calibration: Sequence[Photo] = ()
) -> None:
    """Write a checkpoint as an ONNX file, beside its place and renamed.

    Its input is `lightness`, (1, 1, height, width) float32, L* from 0 to 100; its outputs are `ab`
    (1, 2, height, width) float32 and, of heads that predict a distribution, its `logits`. The
    metadata says at which size photos suit the network, what its logits mean, which checkpoint it
    is and what holds for that.

    Args:
        checkpoint: what to export.
        path: where to.
        precision: "fp32"; "fp16", for weights and what is computed with them; or "int8", for the
            convolutions, all else being float32.
        calibration: photos that tell int8 which values occur.

    Raises:
        ExportError: a package is missing, int8 has no photos, or the file can't be written.
    """
    check_packages()
    if precision not in PRECISIONS:
        raise ExportError(f"precision is {precision!r}; use one of {', '.join(PRECISIONS)}.")
    if precision == "int8" and not calibration:
        raise ExportError(
            "int8 is calibrated on photos; name some (--calibrate), as different as what will come."
        )
    model = trace(checkpoint.generator, half=precision == "fp16")
    if precision == "int8":
        model = quantize(model, seen(calibration, checkpoint.working_size))
    for key, value in description(checkpoint, precision).items():
        model.metadata_props.add(key=key, value=value)
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(model.SerializeToString())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ExportError(f"{path} can't be written: {error.strerror}.") from error


def check_packages() -> None:
    """Say what is missing for an export.

    Raises:
        ExportError: something is.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ExportError(
            f"The export needs {', '.join(missing)}; install colorizer with its extra onnx."
        )


def seen(photos: Iterable[Photo], working_size: int) -> Iterator[Plane]:
    """The photos' L* (h, w) as the network sees it."""
    for photo in photos:
        yield photo.resized_lightness(network_size(photo.size, working_size))


def trace(generator: AnyGenerator, half: bool) -> "ModelProto":
    """The graph of a generator, for pictures of any size."""
    example = torch.linspace(0, 100, TRACED[0] * TRACED[1]).reshape(1, 1, *TRACED)
    names = [*OUTPUTS] if isinstance(generator, Generator) else ["ab"]
    program = torch.onnx.export(
        Exported(generator, half).eval(),
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=["lightness"],
        output_names=names,
        dynamic_shapes=({2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC},),
        verbose=False,
    )
    assert program is not None
    model: ModelProto = program.model_proto
    for value in (*model.graph.input, *model.graph.output):
        sides = OUTPUTS.get(value.name, OUTPUTS["ab"])
        for dim, name in zip(value.type.tensor_type.shape.dim[2:], sides, strict=True):
            dim.dim_param = name
    return model


def quantize(model: "ModelProto", pictures: Iterator[Plane]) -> "ModelProto":
    """The convolutions' weights and inputs in 8 bits, by static quantization.

    The first convolution and the last of each output stay in float32: they hold few weights, and
    their errors are seen.

    Args:
        model: in float32.
        pictures: L* (h, w) each, from which the range of the inputs is found.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Any] | None:
            picture = next(pictures, None)
            return None if picture is None else {"lightness": picture[None, None]}

    convolutions = [node.name for node in model.graph.node if node.op_type == "Conv"]
    add_pre_process_metadata(model)  # torch has done that: shapes are known, batch norms are folded
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            target,
            Pictures(),
            per_channel=True,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[convolutions[0], *convolutions[-2:]],
        )
        return onnx.load(target)


def description(checkpoint: Checkpoint, precision: str) -> Mapping[str, str]:
    """What the file says about itself."""
    generator = checkpoint.generator
    texts = {
        "software": f"colorizer {__version__}",
        "checkpoint": checkpoint.source,
        "sha256": checkpoint.sha256,
        "precision": precision,
        "working_size": str(checkpoint.working_size),
        "usage": (
            "Shrink the photo's L* (D65, 0 to 100) until its short side has working_size pixels; "
            "enlarge ab to the photo and join it with the photo's own L*."
        ),
    }
    if isinstance(generator, Generator) and generator.config.head == "bins":
        texts["bins"] = json.dumps(generator.config.bins)
        texts["temperature"] = str(generator.config.temperature)
        texts["confidence"] = json.dumps(generator.config.confidence)
    card = model_card(checkpoint)
    if card:
        texts["model_card"] = card
    return texts


def model_card(checkpoint: Checkpoint) -> str:
    """What is written about a checkpoint in a folder, its license included; may be empty."""
    bundled = checkpoint.source == "bundled"
    path = (bundled_folder() if bundled else Path(checkpoint.source)) / "README.md"
    return path.read_text() if path.is_file() else ""
