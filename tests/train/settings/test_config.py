"""Settings of a training run: each has its flag, wrong ones are refused, schedules are right."""

import json
from dataclasses import Field, asdict, fields, replace
from typing import Any

import pytest

from train.settings.config import Phase, TrainConfig, config_from
from train.settings.flags import parse_config
from train.settings.presets import PRESETS

NEEDED = ["--data", "photos", "--output", "run"]
FEATURES = [  # which --perceptual-weight and --vgg-weight need
    "--perceptual-weights",
    "features",
    "--vgg-weights",
    "features",
]
FIELDS = fields(TrainConfig)
CHOOSING = [item for item in FIELDS if item.metadata["choices"]]


def flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def another(item: Field[Any]) -> Any:
    """A value of a setting that is allowed and not the default."""
    default = item.default
    if item.metadata["choices"]:
        return item.metadata["choices"][-1 if default == item.metadata["choices"][0] else 0]
    if isinstance(default, bool):
        return not default
    if isinstance(default, tuple):
        return tuple(type(value)(value / 2) for value in default) or ("a", "b")
    if item.name == "working_size":
        return 256
    if isinstance(default, int):
        return default * 2 if item.name == "accumulate" else default + 1
    return f"other{default}" if isinstance(default, str) else default / 2 or 0.5


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_every_setting_has_its_flag(item: Field[Any]) -> None:
    value = another(item)
    assert value != item.default
    words = [flag(item.name)]
    if isinstance(value, bool):
        words = words if value else ["--no-" + item.name.replace("_", "-")]
    else:
        words += map(str, value if isinstance(value, tuple) else [value])
    base = TrainConfig(
        data=("photos",), output="run", perceptual_weights="features", vgg_weights="features"
    )
    config, _ = parse_config([*NEEDED, *FEATURES, *words])
    assert config == replace(base, **{item.name: value})


def test_flags_default_to_the_fields() -> None:
    assert parse_config(NEEDED) == (TrainConfig(data=("photos",), output="run"), False)


def test_a_dry_run_is_told() -> None:
    assert parse_config([*NEEDED, "--dry-run"]) == (parse_config(NEEDED)[0], True)


def test_help_describes_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_config(["--help"])
    assert stop.value.code == 0
    text = "".join(capsys.readouterr().out.split())  # argparse breaks lines in words, too
    for item in FIELDS:
        line = "".join(item.metadata["help"].split())
        assert line, item.name
        assert flag(item.name) in text
        shown = item.default if isinstance(item.default, tuple) else (item.default,)
        default = "".join(map(str, shown))
        assert line + (f"(default:{default})" if default else "") in text
    assert "(default:)" not in text


@pytest.mark.parametrize("item", CHOOSING, ids=lambda item: item.name)
def test_choices(item: Field[Any], capsys: pytest.CaptureFixture[str]) -> None:
    for choice in item.metadata["choices"]:
        config, _ = parse_config([*NEEDED, flag(item.name), choice])
        assert getattr(config, item.name) == choice
    with pytest.raises(SystemExit):
        parse_config([*NEEDED, flag(item.name), "none_such"])
    assert "invalid choice: 'none_such'" in capsys.readouterr().err
    with pytest.raises(ValueError, match=f"{item.name} is 'none_such'; use .* or"):
        TrainConfig(**{item.name: "none_such"})


@pytest.mark.parametrize("arguments", [[], ["--data", "photos"], ["--output", "run"]])
def test_data_and_output_are_required(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_config(arguments)
    assert stop.value.code == 2
    assert "required" in capsys.readouterr().err


def test_wrong_values_end_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parse_config([*NEEDED, "--rebalance", "2"])
    assert stop.value.code == 2
    assert "error: rebalance is 2.0; it goes from 0 to 1." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"crops": (64,)}, "1 crops but 3 crop_starts; give as many of each"),
        ({"crops": (), "crop_starts": ()}, "start at 0, let it grow, and stay below 1"),
        ({"crop_starts": (0.1, 0.5, 0.9)}, "start at 0, let it grow, and stay below 1"),
        ({"crop_starts": (0.0, 0.5, 1.0)}, "start at 0, let it grow, and stay below 1"),
        ({"crop_starts": (0.0, 0.9, 0.5)}, "start at 0, let it grow, and stay below 1"),
        ({"crops": (28, 64, 96)}, "multiple of 4 and at least 32 pixels"),
        ({"crops": (64, 98, 128)}, "multiple of 4 and at least 32 pixels"),
        ({"crop_scale": (0.5,)}, "a smallest and a largest share, up to 1"),
        ({"crop_scale": (0.0, 1.0)}, "a smallest and a largest share, up to 1"),
        ({"crop_scale": (0.9, 0.5)}, "a smallest and a largest share, up to 1"),
        ({"crop_scale": (0.5, 1.1)}, "a smallest and a largest share, up to 1"),
        ({"batch": 0}, "one step needs a full batch"),
        ({"photos": 31}, "one step needs a full batch"),
        ({"batch": 6, "accumulate": 4}, "batch is 6 and accumulate 4; choose a batch that can"),
        ({"accumulate": 0}, "accumulate is 0; it must be at least 1"),
        ({"val_photos": 0}, "val_photos is 0; it must be at least 1"),
        ({"epochs": -1.0}, "epochs is -1.0; it must be 0 or a positive number"),
        (
            {"discriminator_photos": -1},
            "discriminator_photos is -1; it must be 0 or a positive number",
        ),
        ({"rebalance": -0.1}, "rebalance is -0.1; it must be 0 or a positive number"),
        ({"flip": float("nan")}, "flip is nan; it must be 0 or a positive number"),
        ({"clip": float("inf")}, "clip is inf; it must be 0 or a positive number"),
        ({"crops": (-64, 96, 128)}, "crops is -64; it must be 0 or a positive number"),
        ({"beta1": 1.5}, "beta1 is 1.5; it goes from 0 to 1"),
        ({"photos": 64, "adversarial_share": 0.1}, "is less than a step; raise it"),
        (
            {"discriminator_photos": 8, "adversarial_share": 0.5},
            "discriminator_photos is 8 and batch 32",
        ),
        ({"degrade_dust": 1.5}, "degrade_dust is 1.5; it goes from 0 to 1"),
        ({"adversarial_share": 2.0}, "adversarial_share is 2.0; it goes from 0 to 1"),
        ({"ab_weight": -1.0}, "ab_weight is -1.0; it must be 0 or a positive number"),
        ({"perceptual_weight": 1.0}, "needs pretrained features; name a file with --perceptual-we"),
        ({"working_size": 191}, "working_size is 191; it goes from 192 to 512 pixels"),
        ({"working_size": 513}, "working_size is 513; it goes from 192 to 512 pixels"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrainConfig(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_give_settings(preset: str) -> None:
    config, _ = parse_config([*NEEDED, "--preset", preset])
    assert config == TrainConfig(data=("photos",), output="run", **PRESETS[preset])


def test_flags_win_over_presets() -> None:
    config, _ = parse_config([*NEEDED, "--preset", "pix2pix", "--batch", "32", "--beta1", "0.9"])
    expected = PRESETS["pix2pix"] | {"batch": 32, "beta1": 0.9}
    assert config == TrainConfig(data=("photos",), output="run", **expected)


def test_a_number_of_photos_wins_over_the_presets_epochs() -> None:
    arguments = [*NEEDED, "--preset", "pix2pix", "--photos", "640"]
    config = parse_config(arguments)[0].with_epochs(1000)
    assert (config.epochs, config.photos, config.steps) == (0, 640, 10)
    config = parse_config([*arguments, "--epochs", "2"])[0].with_epochs(1000)
    assert (config.epochs, config.photos, config.steps) == (0, 2000, 31)


def test_the_preset_pix2pix_is_that_of_the_paper() -> None:
    """Isola et al. 2017, sec. 3.3: Adam at 2e-4, betas 0.5 and 0.999, both networks from the
    start; sec. 4.2: L1 with weight 100.
    """
    config = TrainConfig(**PRESETS["pix2pix"])
    assert config.architecture == "pix2pix"
    assert (config.learning_rate, config.discriminator_rate) == (2e-4, 2e-4)
    assert (config.beta1, config.weight_decay) == (0.5, 0)
    assert (config.gan, config.adversarial_weight, config.l1_weight) == ("bce", 1, 100)
    others = ("bins_weight", "ab_weight", "gradient_weight", "perceptual_weight")
    assert [getattr(config, name) for name in others] == [0, 0, 0, 0]
    assert config.colorfulness_weight == 0
    assert config.crops == (256,)
    assert {config.phase_at(step) for step in range(config.steps)} == {Phase.ADVERSARIAL}
    assert not any(
        getattr(config, item.name) for item in FIELDS if item.name.startswith("degrade_")
    )


def test_steps_are_full_batches() -> None:
    assert TrainConfig(photos=100, batch=32).steps == 3
    assert TrainConfig(photos=32, batch=32).steps == 1


@pytest.mark.parametrize(
    ("share", "alone", "expected"),
    [
        (0.0, 25, [10, 0, 0]),
        (0.3, 25, [7, 2, 3]),
        (0.3, 0, [7, 0, 3]),
        (1.0, 25, [0, 2, 10]),
        (1.0, 0, [0, 0, 10]),
    ],
)
def test_phases(share: float, alone: int, expected: list[int]) -> None:
    """The discriminator's own steps come on top of the photos; the order never changes."""
    config = TrainConfig(photos=109, batch=10, adversarial_share=share, discriminator_photos=alone)
    phases = [config.phase_at(step) for step in range(config.steps)]
    order = [Phase.RECONSTRUCTION, Phase.DISCRIMINATOR, Phase.ADVERSARIAL]
    assert [phases.count(phase) for phase in order] == expected
    assert phases == sorted(phases, key=order.index)
    assert [config.discriminator_steps, config.adversarial_steps] == expected[1:]
    assert config.adversarial == bool(expected[2])


def test_epochs_become_photos() -> None:
    config = TrainConfig(batch=10, photos=40, epochs=2.5)
    assert config.with_epochs(101) == replace(config, photos=252, epochs=0.0)
    assert config.with_epochs(1).photos == 10  # one step
    assert replace(config, epochs=0.0).with_epochs(101).photos == 40


def test_crops_grow_at_their_shares_of_the_run() -> None:
    config = TrainConfig(photos=1000, batch=10, crops=(64, 96, 128), crop_starts=(0.0, 0.6, 0.88))
    sizes = [config.crop_at(step) for step in range(config.steps)]
    assert sizes == [64] * 60 + [96] * 28 + [128] * 12


def test_names_of_earlier_versions_are_read() -> None:
    """In flags and in settings files alike."""
    flags = ["--data", "a", "--output", "b", "--adversarial-share", "0.5"]
    config, _ = parse_config([*flags, "--critic-photos", "640", "--critic-width", "16"])
    assert (config.discriminator_photos, config.discriminator_width) == (640, 16)
    saved = json.loads(json.dumps(asdict(config)))
    saved["critic_photos"] = saved.pop("discriminator_photos")
    saved["critic_rate"] = saved.pop("discriminator_rate")
    assert config_from(saved) == config


def test_help_shows_current_names_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_config(["--help"])
    shown = capsys.readouterr().out
    assert "--discriminator-photos" in shown
    assert "critic" not in shown
