"""Settings of a training run: each has its flag, wrong ones are refused, schedules are right."""

from dataclasses import fields

import pytest

from train.config import TrainConfig, parse_config

NEEDED = ["--data", "photos", "--output", "run"]


def test_every_setting_has_its_flag() -> None:
    values = {
        "data": "a b",
        "output": "c",
        "val_data": "d",
        "crops": "64 96",
        "crop_starts": "0 0.5",
        "crop_scale": "0.5 0.9",
        "photos": "640",
        "batch": "64",
        "rebalance": "0.25",
        "learning_rate": "3e-4",
        "head": "tanh",
        "seed": "7",
    }
    arguments = [
        part
        for name, value in values.items()
        for part in (f"--{name}".replace("_", "-"), *value.split())
    ]
    config = parse_config([*arguments, "--resume"])
    assert config == TrainConfig(
        data=("a", "b"),
        output="c",
        val_data=("d",),
        crops=(64, 96),
        crop_starts=(0.0, 0.5),
        crop_scale=(0.5, 0.9),
        photos=640,
        batch=64,
        rebalance=0.25,
        learning_rate=3e-4,
        head="tanh",
        seed=7,
        resume=True,
    )


def test_flags_default_to_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_config(NEEDED) == TrainConfig(data=("photos",), output="run")
    with pytest.raises(SystemExit):
        parse_config(["--help"])
    text = capsys.readouterr().out
    for item in fields(TrainConfig):
        assert "--" + item.name.replace("_", "-") in text


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
    assert "rebalance is 2.0; it goes from 0 (none) to 1 (uniform)." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"crops": (64,)}, "1 crops but 3 crop_starts; give as many of each"),
        ({"crops": (), "crop_starts": ()}, "start at 0 and let it grow"),
        ({"crop_starts": (0.1, 0.5, 0.9)}, "start at 0 and let it grow"),
        ({"crop_starts": (0.0, 0.9, 0.5)}, "start at 0 and let it grow"),
        ({"crops": (28, 64, 96)}, "multiple of 4 and at least 32 pixels"),
        ({"crops": (64, 98, 128)}, "multiple of 4 and at least 32 pixels"),
        ({"crop_scale": (0.5,)}, "a smallest and a largest share, up to 1"),
        ({"crop_scale": (0.0, 1.0)}, "a smallest and a largest share, up to 1"),
        ({"crop_scale": (0.9, 0.5)}, "a smallest and a largest share, up to 1"),
        ({"crop_scale": (0.5, 1.1)}, "a smallest and a largest share, up to 1"),
        ({"batch": 0}, "one step needs a full batch"),
        ({"photos": 31}, "one step needs a full batch"),
        ({"rebalance": -0.1}, "it goes from 0"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrainConfig(**changes)  # type: ignore[arg-type]


def test_steps_are_full_batches() -> None:
    assert TrainConfig(photos=100, batch=32).steps == 3
    assert TrainConfig(photos=32, batch=32).steps == 1


def test_crops_grow_at_their_shares_of_the_run() -> None:
    config = TrainConfig(photos=1000, batch=10, crops=(64, 96, 128), crop_starts=(0.0, 0.6, 0.88))
    sizes = [config.crop_at(step) for step in range(config.steps)]
    assert sizes == [64] * 60 + [96] * 28 + [128] * 12
