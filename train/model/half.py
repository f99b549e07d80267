"""Weights in half precision, for small networks that are stored with the code."""

from torch import Tensor, nn


def half_precision(network: nn.Module) -> dict[str, Tensor]:
    """The network's state with float16 for its floating-point tensors."""
    return {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
    }
