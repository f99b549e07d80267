"""The model card of a checkpoint: what the Hub shows, and what its search reads."""

import re
import shlex
from itertools import takewhile
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from colorizer.checkpoints.checkpoint import DISCRIMINATOR_WEIGHTS_FILE, Checkpoint
from colorizer.networks.pix2pix import Pix2Pix
from train.model.build import RANDOM
from train.run.config import TrainConfig
from train.run.folder import CONFIG_FILE as SETTINGS_FILE
from train.run.plots import LOSSES, Row

REPORT_FILE = "report.json"
CURVES_FILE = "curves.png"
GRID_FILE = "samples.png"
METRICS = {  # of a report: as the Hub calls them, as people do, and what is good
    "lpips": ("lpips", "LPIPS (AlexNet)", "lower is better"),
    "delta_e00": ("ciede2000", "CIEDE2000", "lower is better"),
    "fid": ("fid", "FID", "lower is better; against the same photos in color"),
    "psnr": ("psnr", "PSNR (dB)", "higher is better"),
    "ssim": ("ssim", "SSIM", "higher is better"),
    "cf": ("colorfulness", "Colorfulness (CF)", "near the photos' own is better"),
}

GRID = """\
![Photos as input, ground truth and generated]({file})

*Input, ground truth and generated, by this checkpoint.*
"""
USE = """\
## Use

    colorizer colorize photo.jpg -o colored --checkpoint {repo}

or from Python:

```python
from colorizer import Colorizer, Photo

result = Colorizer.load("{repo}").colorize(Photo.open("photo.jpg"))
result.colorized.save("photo_color.jpg")
```
"""
FINE_TUNE = """\
The discriminator of the run comes with it, so that adversarial training can go on from here:

    python -m train.fit --preset finetune --init {repo} --data FOLDER --output RUN
"""
LIMITS = """\
## Limits

* The colors are plausible, not historical: nobody can know from a gray photo what color a dress
  was. Do not take a color as evidence of anything, and say that a photo was colorized.
* Where a gray photo leaves several colors open, the likeliest in the training data wins: clothes
  and painted things tend to brown, gray or blue. What the data shows rarely, or not at all, comes
  out worst.
* Plain areas can turn out patchy, small faces and hands gray, and a color can bleed over a soft
  edge.
* Old prints are faded, grainy and scratched, which photos made gray by a computer are not: figures
  measured on these say less about those.
"""


def model_card(
    folder: Path,
    repo: str,
    checkpoint: Checkpoint,
    config: TrainConfig,
    log: list[Row],
    step: int,
    report: dict[str, Any],
    license: str | None,
) -> ModelCard:
    """Write the card of a checkpoint.

    Args:
        folder: that the card is for; the pictures and the discriminator in it are shown.
        repo: "user/name" on the Hub.
        checkpoint: what is published.
        config: how it was trained; without paths, as all of it may be shown.
        log: of the run, by rising step.
        step: of the run, that the checkpoint was saved at.
        report: what `train.evaluate` found; empty if nothing was measured.
        license: identifier of the weights' license; None states none.
    """
    name = repo.partition("/")[2]
    pix2pix = isinstance(checkpoint.generator, Pix2Pix)
    results = _eval_results(report)
    data = ModelCardData(
        model_name=name if results else None,  # it names these
        library_name="colorizer",
        pipeline_tag="image-to-image",
        license=license,
        tags=["colorization", "image-colorization", "pix2pix" if pix2pix else "u-net"],
        eval_results=results or None,
    )
    parts = [f"# {name}\n", _introduction(checkpoint)]
    if (folder / GRID_FILE).exists():
        parts.append(GRID.format(file=GRID_FILE))
    parts += [USE.format(repo=repo), _training(config, log, step)]
    if (folder / CURVES_FILE).exists():
        parts.append(f"![Losses and validation over the steps of the run]({CURVES_FILE})\n")
    if (folder / DISCRIMINATOR_WEIGHTS_FILE).exists():
        parts.append(FINE_TUNE.format(repo=repo))
    parts += [_results(report), LIMITS, _license(license)]
    return ModelCard(f"---\n{data.to_yaml()}\n---\n" + "\n".join(parts))


def _eval_results(report: dict[str, Any]) -> list[EvalResult]:
    measured_on = _measured_on(report)
    return [
        EvalResult(
            task_type="image-to-image",
            task_name="Photo colorization",
            dataset_type=re.sub(r"\W+", "-", measured_on.lower()).strip("-"),
            dataset_name=measured_on,
            metric_type=kind,
            metric_name=name,
            metric_value=round(report["output"][key], 4),
        )
        for key, (kind, name, _) in METRICS.items()
        if key in report.get("output", {})
    ]


def _measured_on(report: dict[str, Any]) -> str:
    """Names of the data in a report, as its command has them."""
    words = iter(shlex.split(report.get("command", "")))
    if "--data" not in words:  # goes on to the word after it
        return "validation photos"
    return ", ".join(takewhile(lambda word: not word.startswith("--"), words))


def _introduction(checkpoint: Checkpoint) -> str:
    generator = checkpoint.generator
    kind = (
        "the U-Net of pix2pix (Isola et al. 2017)"
        if isinstance(generator, Pix2Pix)
        else f"a U-Net with the encoder {generator.config.encoder}"
    )
    millions = sum(value.numel() for value in generator.parameters()) / 1e6
    return (
        f"Turns black-and-white photos into color: {kind}, {millions:.1f} million parameters, "
        f"made with colorizer. It sees photos at a short side of {checkpoint.working_size} pixels; "
        "what comes out has the size and the detail of the photo.\n"
    )


def _training(config: TrainConfig, log: list[Row], step: int) -> str:
    if config.init:
        start = config.init
    elif config.architecture == "pix2pix" or config.encoder_weights == RANDOM:
        start = "random weights"
    else:
        start = f"pretrained encoder ({config.encoder_weights or 'from timm'})"
    adversarial = step - (config.steps - config.adversarial_steps)
    weights = {
        name: getattr(config, f"{name}_weight")
        for name in LOSSES
        if any(name in row for row in log if row["step"] <= step)
    }
    rows = {
        "Data": _names(config.data),
        "Validation": _names(config.val_data) or f"{config.val_fraction:.1%} of the data",
        "Steps": f"{step:,} of {config.steps:,}, each on {config.batch} photos",
        "Crops": ", then ".join(f"{size} x {size}" for size in config.crops) + " pixels",
        "Started from": start,
        "Losses and their weights": ", ".join(
            f"{name} {value:g}" for name, value in weights.items()
        ),
        "Adversarial training": f"the last {adversarial:,} steps ({config.gan}), "
        f"after {config.critic_steps:,} of the discriminator alone"
        if adversarial > 0
        else "none",
        "Optimizer": f"AdamW, peak rate {config.learning_rate:g}, {config.schedule} schedule, "
        f"weight decay {config.weight_decay:g}",
        "Averaging": f"exponential, half-life up to {config.ema_half_life:,} photos",
        "Precision": config.mixed_precision,
    }
    lines = ["## Training", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join([*lines, "", f"[{SETTINGS_FILE}]({SETTINGS_FILE}) has all settings.", ""])


def _names(data: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in data)


def _results(report: dict[str, Any]) -> str:
    if not report:
        return "## Results\n\nNot measured yet.\n"
    output, gray = report["output"], report["gray"]
    lines = ["## Results", "", "| | generated | gray input |", "|---|---|---|"]
    lines += [
        f"| {name}, {good} | {output[key]:.4g} | {gray[key]:.4g} |"
        for key, (_, name, good) in METRICS.items()
        if key in output
    ]
    lines += [
        "",
        f"{report['n']} photos ({_measured_on(report)}), whose own CF is "
        f"{report['truth']['cf']:.4g}, at a working size of {report['working_size']} pixels.",
        f"[{REPORT_FILE}]({REPORT_FILE}) has every figure; the command was",
        "",
        f"    {report['command']}",
        "",
    ]
    return "\n".join(lines)


def _license(license: str | None) -> str:
    stated = (
        f"The weights are under `{license}`."
        if license
        else "No license is stated for the weights; ask before you use them."
    )
    return f"## License\n\n{stated} The rights in the training photos may limit their use, too.\n"
