"""The model card of a checkpoint, with the metadata that the Hub's search reads."""

import re
import shlex
from itertools import takewhile
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from colorizer.checkpoints.checkpoint import DISCRIMINATOR_WEIGHTS_FILE, Checkpoint
from colorizer.networks.pix2pix import Pix2Pix
from train.measure.metrics import METRICS
from train.measure.tables import markdown_table
from train.model.build import RANDOM
from train.run.plots import LOSSES, Row
from train.settings.config import SETTINGS_FILE, TrainConfig

REPORT_FILE = "report.json"
CURVES_FILE = "curves.png"
GRID_FILE = "samples.png"
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
The discriminator of the run is included, so that adversarial training can continue:

    python -m train.fit --preset finetune --init {repo} --data FOLDER --output RUN
"""
LIMITS = """\
## Limits

* The colors are plausible, not historical: nobody can know from a gray photo what color a dress
  was. Do not take a color as evidence, and say that a photo was colorized.
* Where a gray photo leaves several colors open, the likeliest in the training data wins: clothes
  and painted things tend to brown, gray or blue. Things that are rare in the data come out worst.
* Plain areas can turn out patchy, small faces and hands gray, and a color can bleed over a soft
  edge.
* Old prints are faded, grainy and scratched. The figures were measured on modern photos made gray,
  so they say less about old prints.
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
        folder: of the card; it shows the pictures and mentions the discriminator in it.
        repo: "user/name" on the Hub.
        checkpoint: the published one.
        config: settings of the run, without paths.
        log: rows of the run, by rising step.
        step: at which the checkpoint was saved.
        report: as of `train.evaluate`; empty if nothing was measured.
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
            metric_type=metric.hub,
            metric_name=metric.label,
            metric_value=round(report["output"][name], 4),
        )
        for name, metric in METRICS.items()
        if name in report.get("output", {})
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
        "made with colorizer. The network works at a short side of "
        f"{checkpoint.working_size} pixels; results have the size and the detail of the photo.\n"
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
        f"after {config.discriminator_steps:,} of the discriminator alone"
        if adversarial > 0
        else "none",
        "Optimizer": f"AdamW, peak rate {config.learning_rate:g}, {config.schedule} schedule, "
        f"weight decay {config.weight_decay:g}",
        "Averaging": f"exponential, half-life up to {config.ema_half_life:,} photos",
        "Precision": config.mixed_precision,
    }
    table = markdown_table([["", ""], *rows.items()], numbers=False)
    return f"## Training\n\n{table}\n\n[{SETTINGS_FILE}]({SETTINGS_FILE}) has all settings.\n"


def _names(data: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in data)


def _results(report: dict[str, Any]) -> str:
    if not report:
        return "## Results\n\nNot measured yet.\n"
    output, gray = report["output"], report["gray"]
    rows = [
        [f"{metric.label}, {metric.better}", f"{output[name]:.4g}", f"{gray[name]:.4g}"]
        for name, metric in METRICS.items()
        if name in output
    ]
    return (
        f"## Results\n\n{markdown_table([['', 'generated', 'gray input'], *rows])}\n\n"
        f"{report['n']} photos ({_measured_on(report)}), whose own CF is "
        f"{report['truth']['cf']:.4g}, at a working size of {report['working_size']} pixels.\n"
        f"[{REPORT_FILE}]({REPORT_FILE}) has every figure; the command was\n\n"
        f"    {report['command']}\n"
    )


def _license(license: str | None) -> str:
    stated = (
        f"The weights are under `{license}`."
        if license
        else "No license is stated for the weights; ask before you use them."
    )
    return f"## License\n\n{stated} The rights in the training photos may limit their use, too.\n"
