"""Export a checkpoint to ONNX: one file that ONNX Runtime and others run without torch.

Normalization, padding and cropping are inside: the graph takes the lightness of a photo of any size
and gives its colors, as `Generator` does.
"""

import copy
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import torch
from torch import Tensor, nn

from colorizer.checkpoints.checkpoint import AnyGenerator, Checkpoint, bundled_folder
from colorizer.errors import ExportError
from colorizer.files import atomic_write
from colorizer.imaging.arrays import Plane
from colorizer.inference.colorizer import network_size
from colorizer.networks.generator import Generator
from colorizer.photo.photo import Photo
from colorizer.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # the oldest that torch exports to as it is; ONNX Runtime 1.14 and later run it
PRECISIONS = ("fp32", "fp16", "int8")
NEEDED = ("onnx", "onnxruntime", "onnxscript")
LARGE = 1024  # values of a weight that takes more space than its cast
LAST = ("generator.head.weight", "generator.residual.weight")
TRACED = (96, 160)  # pixels of the picture that the network is traced with; any size would do
OUTPUTS = {  # with the names of their height and width
    "ab": ("height", "width"),
    "logits": ("rows", "columns"),
}


class Exported(nn.Module):
    """A generator as it is exported: it gives tensors alone."""

    def __init__(self, generator: AnyGenerator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """(1, 1, H, W) L* to ab (1, 2, H, W) and, of heads that predict a distribution, its logits
        (1, bins, ceil(H / 4), ceil(W / 4)).
        """
        prediction = self.generator(lightness)
        return (prediction.ab,) if prediction.logits is None else tuple(prediction[:2])


def export_onnx(
    checkpoint: Checkpoint,
    folder: Path,
    precisions: Sequence[str] = ("fp32",),
    calibration: Sequence[Photo] = (),
) -> dict[str, Path]:
    """Write a checkpoint as ONNX files, each beside its place and renamed.

    Their input is `lightness`, (1, 1, height, width) float32, L* from 0 to 100; their outputs are
    `ab` (1, 2, height, width) float32 and, of heads that predict a distribution, its `logits`. The
    metadata says at which size photos suit the network, what its logits mean, which checkpoint it
    is and what holds for that.

    Args:
        checkpoint: what to export.
        folder: where to; it is made.
        precisions: "fp32"; "fp16": the weights take half the space, and are computed with in
            float32; "int8": most convolutions are computed in 8 bits.
        calibration: photos that tell int8 which values occur.

    Returns:
        The files by their precision, `colorizer-fp32.onnx` and so on.

    Raises:
        ExportError: a package is missing, int8 has no photos, or a file can't be written.
    """
    check_packages()
    for precision in precisions:
        if precision not in PRECISIONS:
            raise ExportError(f"precision is {precision!r}; use one of {', '.join(PRECISIONS)}.")
    if "int8" in precisions and not calibration:
        raise ExportError(
            "int8 is calibrated on photos; name some (--calibrate), as different as what will come."
        )
    traced = trace(checkpoint.generator)
    files = {}
    for precision in precisions:
        model = copy.deepcopy(traced)
        if precision == "fp16":
            shrink(model)
        if precision == "int8":
            model = quantize(model, seen(calibration, checkpoint.working_size))
        for key, value in description(checkpoint, precision).items():
            model.metadata_props.add(key=key, value=value)
        files[precision] = folder / f"colorizer-{precision}.onnx"
        write(model, files[precision])
    return files


def write(model: "ModelProto", path: Path) -> None:
    """Write a model to a file atomically.

    Raises:
        ExportError: the file can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            part.write_bytes(model.SerializeToString())
    except OSError as error:
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


def predicts_distribution(generator: AnyGenerator) -> TypeGuard[Generator]:
    """Whether its logits are those of a distribution over colors."""
    return isinstance(generator, Generator) and generator.config.head == "bins"


def trace(generator: AnyGenerator) -> "ModelProto":
    """The graph of a generator, for pictures of any size."""
    example = torch.linspace(0, 100, TRACED[0] * TRACED[1]).reshape(1, 1, *TRACED)
    names = [*OUTPUTS] if predicts_distribution(generator) else ["ab"]
    program = torch.onnx.export(
        Exported(generator).eval(),
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


def shrink(model: "ModelProto") -> None:
    """Store the large weights in float16, with a cast to float32 before their use.

    Computing in float16 is left to the runtime: ONNX Runtime has no such convolutions for most
    processors.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def quantize(model: "ModelProto", pictures: Iterator[Plane]) -> "ModelProto":
    """The convolutions' weights and inputs in 8 bits, by static quantization.

    The first convolution and those of the outputs stay in float32: they hold few weights, and their
    errors are seen.

    Args:
        model: in float32.
        pictures: L* (h, w) each, from which the range of the inputs is found.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Any] | None:
            picture = next(pictures, None)
            return None if picture is None else {"lightness": picture[None, None]}

    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    kept = [convolutions[0], *(node for node in convolutions if node.input[1] in LAST)]
    add_pre_process_metadata(model)  # torch has done that: shapes are known, batch norms are folded
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            target,
            Pictures(),
            per_channel=True,
            activation_type=QuantType.QUInt8,  # times signed weights: what x86 multiplies fastest
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[node.name for node in kept],
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
    if predicts_distribution(generator):
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
