"""A generator as an ONNX graph, and smaller versions of that graph."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import torch
from torch import Tensor, nn

from colorizer.checkpoints.checkpoint import AnyGenerator
from colorizer.imaging.arrays import Plane
from colorizer.networks.generator import Generator

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18  # the oldest that torch exports to directly; ONNX Runtime 1.14 and later run it
MIN_HALF_SIZE = 1024  # values of a weight; the cast back to float32 takes space, too
OUTPUT_LAYERS = ("generator.head.weight", "generator.residual.weight")
TRACED_SIZE = (96, 160)  # (height, width) of the traced picture; the graph takes any size
OUTPUTS = {  # with the names of their height and width
    "ab": ("height", "width"),
    "logits": ("rows", "columns"),
}


class TensorGenerator(nn.Module):
    """A generator that returns only tensors, as the export needs."""

    def __init__(self, generator: AnyGenerator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, lightness: Tensor) -> tuple[Tensor, ...]:
        """Map L* (1, 1, H, W) to ab (1, 2, H, W) and, with a distribution, to logits.

        The logits are (1, bins, ceil(H / 4), ceil(W / 4)).
        """
        prediction = self.generator(lightness)
        return (prediction.ab,) if prediction.logits is None else tuple(prediction[:2])


def predicts_distribution(generator: AnyGenerator) -> TypeGuard[Generator]:
    """Whether a generator predicts a distribution over colors."""
    return isinstance(generator, Generator) and generator.config.head == "bins"


def trace(generator: AnyGenerator) -> "ModelProto":
    """Trace a generator into a float32 graph for pictures of any size."""
    example = torch.linspace(0, 100, TRACED_SIZE[0] * TRACED_SIZE[1]).reshape(1, 1, *TRACED_SIZE)
    names = [*OUTPUTS] if predicts_distribution(generator) else ["ab"]
    program = torch.onnx.export(
        TensorGenerator(generator).eval(),
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


def store_as_float16(model: "ModelProto") -> None:
    """Store large weights in float16, and cast them to float32 before use.

    Computing in float16 is up to the runtime: ONNX Runtime has no such convolutions for most
    processors.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < MIN_HALF_SIZE:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def quantize(model: "ModelProto", pictures: Iterator[Plane]) -> "ModelProto":
    """Quantize the weights and inputs of the convolutions to 8 bits, statically.

    The first convolution and those of the outputs stay in float32: they have few weights, and their
    errors are visible.

    Args:
        model: in float32.
        pictures: L* (h, w) each, which calibrate the range of the inputs.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Any] | None:
            picture = next(pictures, None)
            return None if picture is None else {"lightness": picture[None, None]}

    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    outputs = [node for node in convolutions if node.input[1] in OUTPUT_LAYERS]
    add_pre_process_metadata(model)  # torch has inferred the shapes and folded the batch norms
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            target,
            Pictures(),
            per_channel=True,
            activation_type=QuantType.QUInt8,  # x86 multiplies it fastest with signed weights
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[node.name for node in (convolutions[0], *outputs)],
        )
        return onnx.load(target)
