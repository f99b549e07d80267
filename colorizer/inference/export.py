"""Export a checkpoint to ONNX: one file that ONNX Runtime and others run without torch.

Normalization, padding and cropping are part of the graph: it takes the lightness of a photo of any
size and returns its colors, as `Generator` does.
"""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from colorizer.checkpoints.checkpoint import Checkpoint, bundled_checkpoint
from colorizer.errors import ExportError
from colorizer.files import atomic_write
from colorizer.imaging.arrays import Plane
from colorizer.inference.colorizer import network_size
from colorizer.inference.onnx_graph import (
    predicts_distribution,
    quantize,
    store_as_float16,
    trace,
)
from colorizer.photo.photo import Photo
from colorizer.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto

PRECISIONS = ("fp32", "fp16", "int8")
PACKAGES = ("onnx", "onnxruntime", "onnxscript")


def export_onnx(
    checkpoint: Checkpoint,
    folder: Path,
    precisions: Sequence[str] = ("fp32",),
    calibration: Sequence[Photo] = (),
) -> dict[str, Path]:
    """Write a checkpoint as ONNX files, each atomically.

    Their input is `lightness`, (1, 1, height, width) float32, L* from 0 to 100. Their outputs are
    `ab` (1, 2, height, width) float32 and, if the network predicts a distribution, its `logits`.
    The metadata holds the working size, the meaning of the logits, the checkpoint and its model
    card.

    Args:
        checkpoint: to export.
        folder: for the files; created if needed.
        precisions: "fp32"; "fp16" stores the weights in half the space and computes in float32;
            "int8" computes most convolutions in 8 bits.
        calibration: photos that calibrate the range of values for int8.

    Returns:
        The files by precision: `colorizer-fp32.onnx` and so on.

    Raises:
        ExportError: a package is missing, int8 has no photos, or a file can't be written.
    """
    check_packages()
    for precision in precisions:
        if precision not in PRECISIONS:
            raise ExportError(f"precision is {precision!r}; use one of {', '.join(PRECISIONS)}.")
    if "int8" in precisions and not calibration:
        raise ExportError(
            "int8 needs photos for its calibration; name some with --calibrate, as varied as those "
            "you will colorize."
        )
    traced = trace(checkpoint.generator)
    files = {}
    for precision in precisions:
        model = copy.deepcopy(traced)
        if precision == "fp16":
            store_as_float16(model)
        if precision == "int8":
            model = quantize(model, network_inputs(calibration, checkpoint.working_size))
        for key, value in file_metadata(checkpoint, precision).items():
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
    """Check that the packages for an export are installed.

    Raises:
        ExportError: one is missing.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise ExportError(
            f"The export needs {', '.join(missing)}; install colorizer with its extra onnx."
        )


def network_inputs(photos: Iterable[Photo], working_size: int) -> Iterator[Plane]:
    """The network's input, L* (h, w), for each photo."""
    for photo in photos:
        yield photo.resized_lightness(network_size(photo.size, working_size))


def file_metadata(checkpoint: Checkpoint, precision: str) -> Mapping[str, str]:
    """The metadata of an exported file."""
    generator = checkpoint.generator
    metadata = {
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
        metadata["bins"] = json.dumps(generator.config.bins)
        metadata["temperature"] = str(generator.config.temperature)
        metadata["confidence"] = json.dumps(generator.config.confidence)
    card = model_card(checkpoint)
    if card:
        metadata["model_card"] = card
    return metadata


def model_card(checkpoint: Checkpoint) -> str:
    """The model card in the checkpoint's folder, license included; empty if there is none."""
    bundled = checkpoint.source == "bundled"
    path = (bundled_checkpoint() if bundled else Path(checkpoint.source)) / "README.md"
    return path.read_text() if path.is_file() else ""
