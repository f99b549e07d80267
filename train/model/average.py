"""The mean of the weights of two checkpoints, one of which was trained from the other.

Where two runs ended in the same valley, the mean of their weights is often better than either
(Wortsman et al. 2022, "Model soups").
"""

from colorizer.checkpoints.checkpoint import AnyGenerator, Checkpoint


def average(first: Checkpoint, second: Checkpoint, share: float = 0.5) -> AnyGenerator:
    """The second checkpoint's network with averaged weights.

    Args:
        first: any checkpoint.
        second: one of the same architecture.
        share: of the second, 0 to 1.

    Raises:
        ValueError: the networks differ, or the share is out of range.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"The share is {share:g}; it goes from 0 to 1.")
    ours, others = second.generator.state_dict(), first.generator.state_dict()
    shapes, other_shapes = (
        {name: value.shape for name, value in state.items()} for state in (ours, others)
    )
    if shapes != other_shapes:
        raise ValueError(
            f"{first.source} and {second.source} hold different networks; average checkpoints of "
            "which one was trained from the other."
        )
    for name, value in ours.items():  # these share memory with the network
        if value.is_floating_point():
            value.lerp_(others[name], 1 - share)
    return second.generator
