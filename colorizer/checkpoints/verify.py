"""Verify a checkpoint: its files, its hashes, its report, and that the network runs."""

from collections.abc import Iterator
from pathlib import Path

import torch

from colorizer.checkpoints.checkpoint import (
    Checkpoint,
    download_checkpoint,
    local_folder,
    read_checkpoint,
    read_discriminator,
)
from colorizer.checkpoints.describe import REPORT_FILE
from colorizer.checkpoints.files import (
    DISCRIMINATOR_FILES,
    DISCRIMINATOR_WEIGHTS_FILE,
    WEIGHTS_FILE,
    read_json,
)
from colorizer.errors import CheckpointError


def verify_checkpoint(source: str | Path | None = None) -> list[str]:
    """Verify a checkpoint's files, compare them with the Hub and its report, and run the network.

    Args:
        source: as for `load_checkpoint`; a checkpoint on the Hub is downloaded.

    Returns:
        A sentence for each check.

    Raises:
        CheckpointError: a check fails, or the checkpoint can't be found.
    """
    folder = local_folder(source)
    if folder is not None:
        return list(_verify(folder, "bundled" if source is None else str(source)))
    from colorizer.checkpoints.hub import find_snapshot  # slow, and rarely needed

    snapshot = find_snapshot(str(source), fresh=True)
    folder = download_checkpoint(snapshot)
    for file in (*DISCRIMINATOR_FILES, REPORT_FILE) if snapshot.files else ():
        snapshot.get_optional(file)
    digests = [snapshot.sha256(file) for file in (WEIGHTS_FILE, DISCRIMINATOR_WEIGHTS_FILE)]
    sentences = list(_verify(folder, snapshot.source, *digests))
    if snapshot.notice:
        return [*sentences, f"Its files are unchanged since the download. {snapshot.notice}"]
    return [*sentences, "Its files match the Hub."]


def _verify(
    folder: Path, name: str, digest: str | None = None, discriminators: str | None = None
) -> Iterator[str]:
    checkpoint = read_checkpoint(folder, name, digest)
    yield f"{name} is valid: settings, names and shapes fit, and all weights are finite."
    _run(checkpoint)
    yield "The network colorizes."
    if read_discriminator(folder, discriminators):
        yield "Its discriminator is valid, too."
    yield _compare_report(folder, checkpoint.sha256)


def _run(checkpoint: Checkpoint) -> None:
    """Colorize a gradient."""
    lightness = torch.linspace(0, 100, 64).expand(1, 1, 64, 64)
    with torch.inference_mode():
        ab = checkpoint.generator(lightness).ab
    if ab.shape != (1, 2, 64, 64) or not ab.isfinite().all():
        raise CheckpointError(
            f"The network of {checkpoint.source} returns no valid colors; get it again."
        )


def _compare_report(folder: Path, digest: str) -> str:
    """Check that the report is of these weights."""
    if not (folder / REPORT_FILE).exists():
        return f"It has no {REPORT_FILE}, so its results can't be checked."
    report = read_json(folder / REPORT_FILE)
    measured = report.get("sha256") if isinstance(report, dict) else None
    if measured != digest:
        raise CheckpointError(
            f"{REPORT_FILE} in {folder} is of other weights: their SHA-256 is {measured}, not "
            f"{digest}; get both files again, or measure these: python -m train.evaluate."
        )
    return f"{REPORT_FILE} is of these weights, SHA-256 {digest}."
