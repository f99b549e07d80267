"""Training: every kind of data trains end to end, runs resume exactly, stop cleanly, and learn."""

import copy
import csv
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import deltaE_ciede2000

import train.model.build
from colorizer import Colorizer, Photo
from colorizer.checkpoints.checkpoint import load_discriminator
from colorizer.networks.pix2pix import Pix2PixConfig
from tests.helpers.paths import ROOT
from tests.helpers.photos import color_pixels, pack, save_photos
from tests.helpers.training import ADVERSARIAL, CLEAN, crops_of, settings, start
from train.data.crops import CropStream
from train.fit import main
from train.model.learner import Learner
from train.model.objective import Batch
from train.run.folder import Interrupted, RunError
from train.run.loop import fit
from train.run.recorder import Recorder
from train.settings.config import Phase, TrainConfig
from train.settings.presets import PRESETS

pytestmark = pytest.mark.slow

ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}  # as in this process, so sums are the same


def flags(config: TrainConfig) -> list[str]:
    """The command line that gives these settings."""
    words = []
    for name, value in vars(config).items():
        flag = "--" + name.replace("_", "-")
        if value is True or value is False:
            words.append(flag if value else flag.replace("--", "--no-"))
        elif isinstance(value, tuple):
            words += [flag, *map(str, value)] if value else []
        else:
            words += [flag, str(value)]
    return words


def read_log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def curve(run: Path, *names: str) -> list[tuple[float, ...]]:
    """Step and losses of each logged step."""
    names = names or ("generator", "discriminator", "norm")
    return [
        (line["step"], *(line.get(name, math.nan) for name in names))
        for line in read_log(run)
        if "norm" in line
    ]


def weights(run: Path) -> dict[str, dict[str, torch.Tensor]]:
    state = torch.load(run / "last.pt", weights_only=True)
    return {name: state[name] for name in ("generator", "ema", "discriminator") if name in state}


def difference(one: Path, other: Path) -> float:
    """Largest over all weights and averaged weights."""
    first, second = weights(one), weights(other)
    return max(
        float((value.double() - second[kind][name].double()).abs().max())
        for kind, values in first.items()
        for name, value in values.items()
    )


@pytest.fixture
def shard(photo_folder: Path, tmp_path: Path) -> Path:
    """The photos as a tar."""
    return pack(photo_folder, tmp_path / "shard.tar")


@pytest.fixture(scope="module")
def straight(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run through all phases, with validation, as one of the tests' yardsticks."""
    run = tmp_path_factory.mktemp("runs") / "straight"
    config = settings(photo_folder, run, val_data=(str(photo_folder),), save_every=2, **ADVERSARIAL)
    assert fit(config) == run / "checkpoint"
    return run


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take most of the time of such short runs; `straight`, which is made first, has them,
    and `monkeypatch.undo()` brings them back.
    """

    def draw_nothing(self: Recorder, colorizer: Colorizer, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    monkeypatch.setattr(Recorder, "_draw_samples", draw_nothing)
    monkeypatch.setattr("train.run.recorder.draw_curves", lambda log, folder: None)


def test_a_run_leaves_a_checkpoint_that_colorizes(straight: Path) -> None:
    for name in ("checkpoint", "best"):
        result = Colorizer.load(straight / name, "cpu").colorize(Photo(color_pixels(40, 50)))
        assert result.colorized.size == (40, 50)
    assert load_discriminator(straight / "checkpoint") is not None


def test_a_run_goes_through_its_phases(straight: Path) -> None:
    lines = [line for line in read_log(straight) if "norm" in line]
    assert [line["phase"] for line in lines] == [
        *["reconstruction"] * 2, *["discriminator"] * 2, *["adversarial"] * 2
    ]  # fmt: skip
    assert [set(line) & {"generator", "discriminator", "adversarial"} for line in lines[1::2]] == [
        {"generator"},
        {"discriminator"},
        {"generator", "discriminator", "adversarial"},
    ]


def test_the_discriminator_learns_alone_in_its_phase(photo_folder: Path, tmp_path: Path) -> None:
    config = settings(photo_folder, tmp_path, photos=4, **ADVERSARIAL)
    learner, crops = start(config)
    learner.step(0, [crops_of(crops, config, 0)])
    before = copy.deepcopy(learner.state())
    for step in (1, 2):
        assert config.phase_at(step) is Phase.DISCRIMINATOR
        learner.step(step, [crops_of(crops, config, step)])
    for kind in ("generator", "ema"):
        for name, value in learner.state()[kind].items():
            if "running" not in name and "num_batches" not in name:
                assert torch.equal(value, before[kind][name]), name
    layer = "layers.0.weight"
    assert not torch.equal(learner.state()["discriminator"][layer], before["discriminator"][layer])


def test_a_run_leaves_its_log_settings_samples_and_curves(straight: Path) -> None:
    lines = read_log(straight)
    losses = [line for line in lines if "norm" in line]
    validation = [line for line in lines if "val_delta_e00" in line]
    assert [line["step"] for line in losses] == [1, 2, 3, 4, 5, 6]
    assert [line["step"] for line in validation] == [2, 4, 6]
    assert {"photos", "phase", "crop", "rate", "photos_per_second", "seconds_data"} <= set(
        losses[0]
    )
    numbers = [value for line in lines for value in line.values() if not isinstance(value, str)]
    assert all(map(math.isfinite, numbers))
    assert json.loads((straight / "train_config.json").read_text())["photos"] == 8
    sheets = sorted((straight / "samples").iterdir())
    assert [sheet.name for sheet in sheets] == ["0000002.png", "0000004.png", "0000006.png"]
    assert Image.open(sheets[0]).width > 3 * 64  # gray, truth and output side by side
    assert Image.open(straight / "curves.png").width > 300
    with (straight / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["generator"]) for row in rows if row["generator"]] == [
        line["generator"] for line in losses if "generator" in line
    ]
    assert list((straight / "tensorboard").iterdir())
    assert not list(straight.glob("**/*.part"))


def test_the_checkpoint_holds_the_averaged_weights(straight: Path) -> None:
    state = weights(straight)
    loaded = Colorizer.load(straight / "checkpoint", "cpu").checkpoint.generator.state_dict()
    name = "head.weight"
    assert torch.allclose(loaded[name], state["ema"][name], atol=2e-3)
    assert not torch.equal(state["ema"][name], state["generator"][name])


def test_a_run_repeats_exactly(straight: Path, photo_folder: Path, tmp_path: Path) -> None:
    fit(settings(photo_folder, tmp_path, **ADVERSARIAL))
    assert difference(straight, tmp_path) < 1e-6
    fit(settings(photo_folder, tmp_path / "other", seed=1, **ADVERSARIAL))
    assert difference(straight, tmp_path / "other") > 1e-4


def test_a_killed_run_resumes_to_the_same_curve_and_weights(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 steps at once, against 10, a kill in the steps after them, and 10; with pictures."""
    monkeypatch.undo()
    changes: dict[str, object] = {"photos": 32, "save_every": 10, "discriminator_photos": 8}
    changes |= {"adversarial_share": 0.25, "degrade_grain": 0.5}
    fit(settings(photo_folder, tmp_path / "straight", **changes))
    config = settings(photo_folder, tmp_path / "killed", **changes)
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "train.fit", *flags(config)]
    process = subprocess.Popen(command, cwd=ROOT, env=ONE_THREAD)
    while not (killed / "last.pt").exists() or len(curve(killed)) < 11:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert torch.load(killed / "last.pt", weights_only=True)["step"] == 10
    fit(settings(photo_folder, killed, resume=True, **changes))
    assert difference(tmp_path / "straight", killed) < 1e-6
    expected, resumed = curve(tmp_path / "straight"), curve(killed)
    assert len(expected) == 20
    assert np.allclose(resumed, expected, rtol=1e-4, atol=1e-5, equal_nan=True)


def test_resuming_a_finished_run_changes_nothing(photo_folder: Path, tmp_path: Path) -> None:
    fit(settings(photo_folder, tmp_path))
    before = (tmp_path / "checkpoint" / "model.safetensors").read_bytes()
    assert fit(settings(photo_folder, tmp_path, resume=True)) == tmp_path / "checkpoint"
    assert (tmp_path / "checkpoint" / "model.safetensors").read_bytes() == before


def launch(config: TrainConfig, processes: int) -> None:
    """Train under `accelerate launch`, which runs on CPUs where there is no GPU."""
    command = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1"]
    command += ["--num_processes", str(processes), "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no", "--main_process_port", "0", "-m", "train.fit"]
    done = subprocess.run(
        [sys.executable, *command, *flags(config)],
        cwd=ROOT,
        env=ONE_THREAD,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_two_processes_follow_the_curve_of_one(photo_folder: Path, tmp_path: Path) -> None:
    """The batch is halved; what stays different is batch norm, whose statistics each process takes
    from its own half. The first phase learns from the bins alone, without gradient of the residual.
    """
    changes: dict[str, object] = {"batch": 16, "photos": 160, "crops": (64,), "save_every": 100}
    changes |= ADVERSARIAL | {"discriminator_photos": 32, "ab_weight": 0.0}
    fit(settings(photo_folder, tmp_path / "one", **changes))
    launch(settings(photo_folder, tmp_path / "two", **changes), 2)
    one, two = (np.array(curve(tmp_path / run, "generator")) for run in ("one", "two"))
    assert (one[:, 0] == two[:, 0]).all()
    error = np.nanmean(np.abs(two[:, 1] / one[:, 1] - 1))
    assert 0 < error < 0.01


def test_parts_of_a_batch_follow_the_curve_of_the_whole(photo_folder: Path, tmp_path: Path) -> None:
    changes: dict[str, object] = {"batch": 16, "photos": 160, "crops": (64,), "save_every": 100}
    fit(settings(photo_folder, tmp_path / "whole", **changes))
    fit(settings(photo_folder, tmp_path / "micro", accumulate=2, **changes))
    whole, micro = (np.array(curve(tmp_path / run, "generator")) for run in ("whole", "micro"))
    assert 0 < np.mean(np.abs(micro[:, 1] / whole[:, 1] - 1)) < 0.1


def test_saving_more_often_than_logging(photo_folder: Path, tmp_path: Path) -> None:
    fit(settings(photo_folder, tmp_path, log_every=3, save_every=2))
    assert [line["step"] for line in read_log(tmp_path) if "norm" in line] == [2, 3, 4]


def test_what_a_stop_left_out_is_made_up_for(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a signal in the last step, which saves but doesn't validate."""
    monkeypatch.undo()
    config = settings(photo_folder, tmp_path, val_data=(str(photo_folder),), save_every=4)
    fit(config)
    (tmp_path / "samples" / "0000004.png").unlink()
    shutil.rmtree(tmp_path / "best")
    lines = [line for line in read_log(tmp_path) if "norm" in line]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    fit(replace(config, resume=True))
    assert (tmp_path / "best" / "model.safetensors").exists()
    assert (tmp_path / "samples" / "0000004.png").stat().st_size > 0
    assert "val_delta_e00" in read_log(tmp_path)[-1]


def test_a_run_goes_on_only_with_its_photos(photo_folder: Path, tmp_path: Path) -> None:
    data = shutil.copytree(photo_folder, tmp_path / "photos")
    fit(settings(data, tmp_path / "run"))
    (data / "a.png").unlink()
    with pytest.raises(RunError, match=r"are not those that the run in .* started with; put those"):
        fit(settings(data, tmp_path / "run", resume=True))


def test_a_run_can_be_moved(photo_folder: Path, tmp_path: Path) -> None:
    fit(settings(photo_folder, tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    fit(settings(f"{photo_folder}/", tmp_path / "there", resume=True))
    assert (tmp_path / "there" / "last.pt").exists()
    assert not (tmp_path / "here").exists()


def test_nothing_to_validate_on_is_said(
    photo_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(settings(photo_folder, tmp_path))
    assert "there will be no best checkpoint" in capsys.readouterr().out


def test_a_batch_that_cannot_be_divided(photo_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose a batch that can be divided"):
        settings(photo_folder, tmp_path, batch=3, accumulate=2)


def send_signal(patch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """To this process, in the third step."""
    step = Learner.step

    def signaled(self: Learner, index: int, *rest: object) -> object:
        if index == 2:
            signal.raise_signal(number)
        return step(self, index, *rest)  # type: ignore[arg-type]

    patch.setattr(Learner, "step", signaled)


def test_a_run_goes_on_the_same_with_a_cache(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = {"cache": str(tmp_path / "cache"), "degrade_grain": 0.5}
    with monkeypatch.context() as patch:
        send_signal(patch, signal.SIGTERM)
        with pytest.raises(Interrupted):
            fit(settings(photo_folder, tmp_path / "stopped", degrade_grain=0.5))
    fit(settings(photo_folder, tmp_path / "stopped", resume=True, **cache))
    fit(settings(photo_folder, tmp_path / "cached", **cache))
    fit(settings(photo_folder, tmp_path / "straight", degrade_grain=0.5))
    for run in ("stopped", "cached"):
        assert difference(tmp_path / run, tmp_path / "straight") < 1e-6


def test_crops_of_the_device_resume_exactly_and_learn_alike(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, object] = {"degrade_grain": 0.5, "degrade_jpeg": 0.5}
    with monkeypatch.context() as patch:
        send_signal(patch, signal.SIGTERM)
        with pytest.raises(Interrupted):
            fit(settings(photo_folder, tmp_path / "stopped", device_augment="yes", **changes))
    fit(settings(photo_folder, tmp_path / "stopped", device_augment="yes", resume=True, **changes))
    fit(settings(photo_folder, tmp_path / "device", device_augment="yes", **changes))
    fit(settings(photo_folder, tmp_path / "workers", **changes))
    assert difference(tmp_path / "stopped", tmp_path / "device") < 1e-6
    ours, theirs = (np.array(curve(tmp_path / run, "generator")) for run in ("device", "workers"))
    assert np.allclose(ours, theirs, rtol=0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_stops(
    number: signal.Signals, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        send_signal(patch, number)
        with pytest.raises(Interrupted, match="saved at step 3 of 4; continue with") as stop:
            fit(settings(photo_folder, tmp_path, save_every=100))
    assert stop.value.signal == number
    assert signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)
    fit(settings(photo_folder, tmp_path, save_every=100, resume=True))
    fit(settings(photo_folder, tmp_path / "straight", save_every=100))
    assert difference(tmp_path, tmp_path / "straight") < 1e-6


def test_the_command_tells_by_its_exit_code_that_it_was_stopped(
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = settings(photo_folder, tmp_path, photos=100)
    monkeypatch.setattr(sys, "argv", ["fit", *flags(config)])
    send_signal(monkeypatch, signal.SIGTERM)
    assert main() == 128 + signal.SIGTERM
    assert "saved at step 3 of 50; continue with --resume" in capsys.readouterr().err


def poison(monkeypatch: pytest.MonkeyPatch, steps: range) -> None:
    """Make the losses and the statistics of some steps undefined."""
    learn = Learner._accumulate_gradients

    def poisoned(self: Learner, phase: object, batch: object, *rest: object) -> object:
        self.seen = getattr(self, "seen", -1) + 1  # type: ignore[attr-defined]
        if self.seen in steps:  # type: ignore[attr-defined]
            nothing = batch.ab * math.nan  # type: ignore[attr-defined]
            batch = batch._replace(input=nothing[:, :1], ab=nothing)  # type: ignore[attr-defined]
        return learn(self, phase, batch, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Learner, "_accumulate_gradients", poisoned)


def test_a_loss_that_is_no_number_is_skipped_at_half_the_rate(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, range(1, 3))
    config = settings(photo_folder, tmp_path, schedule="constant", warmup=0, **ADVERSARIAL)
    fit(config)
    rates = [line["rate"] for line in read_log(tmp_path) if "rate" in line]
    assert rates == [1, 0.5, 0.25, 0.25, 0.25, 0.25]
    assert read_log(tmp_path)[1]["generator"] is None
    assert Colorizer.load(tmp_path / "checkpoint", "cpu")  # refuses undefined weights
    assert load_discriminator(tmp_path / "checkpoint") is not None  # likewise
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    assert {group["lr"] for group in state["discriminator_optimizer"]["param_groups"]} == {2e-4 / 4}


def test_ten_undefined_losses_in_a_row_stop_the_run(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, range(3, 13))
    with pytest.raises(RunError, match=r"not a number 10 times in a row.*lower --learning-rate"):
        fit(settings(photo_folder, tmp_path, photos=40, save_every=2))
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] >= 2
    assert Colorizer.load(tmp_path / "checkpoint", "cpu")


def test_a_full_disk_loses_nothing_that_was_saved(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the third step on no file may grow beyond a limit, as a quota has it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    step = Learner.step

    def limited(self: Learner, index: int, *rest: object) -> object:
        if index == 2:
            half = (tmp_path / "last.pt").stat().st_size // 2
            resource.setrlimit(resource.RLIMIT_FSIZE, (half, hard))
        return step(self, index, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", limited)
        try:
            with pytest.raises(RunError, match="the last save is intact"):
                fit(settings(photo_folder, tmp_path, save_every=2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.glob("**/*.part"))
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 2
    fit(settings(photo_folder, tmp_path, save_every=2, resume=True))
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 4


def test_a_dead_worker_loses_nothing(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = CropStream.__getitem__

    def dying(self: object, number: int) -> object:
        if number == 14 and torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(self, number)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(CropStream, "__getitem__", dying)
        patch.setattr("train.run.batches.PREFETCH", 1)
        with pytest.raises(RunError, match="save is intact; continue with --resume --work"):
            fit(settings(photo_folder, tmp_path, workers=1, photos=16, save_every=2))
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] >= 2
    fit(settings(photo_folder, tmp_path, photos=16, resume=True))
    fit(settings(photo_folder, tmp_path / "straight", photos=16))
    assert difference(tmp_path, tmp_path / "straight") < 1e-6


def broken_folder(folder: Path) -> Path:
    """A text file named .jpg, a truncated photo and a gray one among two good ones."""
    folder.mkdir()
    for number in range(2):
        Image.fromarray(color_pixels(40, 50, number)).save(folder / f"{number}.png")
    (folder / "text.jpg").write_text("not a photo")
    (folder / "cut.png").write_bytes((folder / "0.png").read_bytes()[:200])
    Image.new("RGB", (40, 50), (90, 90, 90)).save(folder / "gray.png")
    return folder


@pytest.mark.parametrize("kind", ["photo_folder", "shard", "pairs", "arrays", "flowers"])
def test_every_kind_of_data_trains(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    data = request.getfixturevalue(kind)
    fit(settings(data, tmp_path / "run", photos=4))
    assert Colorizer.load(tmp_path / "run" / "checkpoint", "cpu")
    assert not (tmp_path / "run" / "skipped.csv").exists()


def test_the_given_gray_is_what_is_learned_from(pairs: Path, tmp_path: Path) -> None:
    config = settings(pairs, tmp_path, **CLEAN)
    _, crops = start(config)
    lightness = Batch.of(crops_of(crops, config, 0)).input
    assert lightness.std(dim=(1, 2, 3)).max() < 1  # the scans are flat, the photos are not


def test_photos_that_cannot_be_used_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = broken_folder(tmp_path / "data")
    fit(settings(data, tmp_path / "run", photos=12))
    with (tmp_path / "run" / "skipped.csv").open() as file:
        rows = {row["name"]: row["reason"] for row in csv.DictReader(file)}
    assert set(rows) == {"data/gray.png", "data/text.jpg", "data/cut.png"}
    assert rows["data/gray.png"] == "nearly gray"
    assert rows["data/text.jpg"].startswith("unreadable")
    assert rows["data/cut.png"].startswith("unreadable")
    assert "3 photos were skipped, 2 of them unreadable, 1 nearly gray" in capsys.readouterr().out


def test_one_corrupt_photo_in_a_hundred_is_counted(tmp_path: Path) -> None:
    data = save_photos(tmp_path / "data", [f"{number:02}.png" for number in range(99)])
    (data / "99.png").write_bytes(b"\x89PNG of something else")
    fit(settings(data, tmp_path / "run", photos=100, batch=20, save_every=5))
    with (tmp_path / "run" / "skipped.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["data/99.png"]


@pytest.mark.parametrize(
    "changes",
    [
        {"head": "tanh"},
        {"mixed_precision": "bf16", **ADVERSARIAL},
        {"gan": "hinge", "spectral_norm": True, **ADVERSARIAL},
        {"discriminator": "unet", "r1_weight": 1.0, **ADVERSARIAL},
        {"adversarial_share": 1.0, "discriminator_photos": 0},
        {"colorfulness_weight": 0.1, "gradient_weight": 0.1, "l1_weight": 1.0},
        {"epochs": 0.5},
    ],
    ids=str,
)
def test_other_kinds_of_runs(
    photo_folder: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    fit(settings(photo_folder, tmp_path, **({"photos": 4} | changes)))
    assert Colorizer.load(tmp_path / "checkpoint", "cpu")
    lines = read_log(tmp_path)
    assert len(lines) == 2 + 2 * (
        "discriminator_photos" in changes and changes["discriminator_photos"] == 4
    )
    assert all(math.isfinite(v) for line in lines for v in line.values() if not isinstance(v, str))


@pytest.mark.parametrize("space", ["rgb", "ab"])
def test_pix2pix(
    space: str, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train.model.build, "Pix2PixConfig", partial(Pix2PixConfig, width=4))
    changes = dict(PRESETS["pix2pix"]) | {"batch": 2, "mixed_precision": "no", "workers": 0}
    changes |= {"photos": 2, "epochs": 0.0, "pix2pix_space": space, "val_fraction": 0.0}
    fit(TrainConfig(data=(str(photo_folder),), output=str(tmp_path), **changes))
    result = Colorizer.load(tmp_path / "checkpoint", "cpu").colorize(Photo(color_pixels(40, 50)))
    assert result.colorized.size == (40, 50)
    (line,) = read_log(tmp_path)
    assert {"l1", "adversarial", "discriminator"} <= set(line)
    assert load_discriminator(tmp_path / "checkpoint").config.space == space


def test_a_checkpoint_is_trained_further(
    photo_folder: Path, tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes: dict[str, object] = {"init": str(tiny_checkpoint), "learning_rate": 0.0}
    changes |= {"encoder_rate": 0.0, "weight_decay": 0.0, **ADVERSARIAL}
    fit(settings(photo_folder, tmp_path / "one", **changes))
    assert (
        "comes without a discriminator: a fresh one learns from 4 photos" in capsys.readouterr().out
    )
    before = Colorizer.load(tiny_checkpoint, "cpu").checkpoint.generator.state_dict()
    for name, value in weights(tmp_path / "one")["generator"].items():
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(value, before[name]), name
    changes["init"] = str(tmp_path / "one" / "checkpoint")
    fit(settings(photo_folder, tmp_path / "two", **changes))
    assert "is trained further" in capsys.readouterr().out


def test_nothing_to_start_from(photo_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a folder nor a Hub name"):
        fit(settings(photo_folder, tmp_path, init="no such folder"))


def test_one_batch_can_be_learned_by_heart(photo_folder: Path, tmp_path: Path) -> None:
    """Two photos, seen by the generator as the pipeline sees them, to a delta_e00 below 3."""
    config = settings(
        photo_folder, tmp_path, photos=600, crops=(64,), learning_rate=1e-2, encoder_rate=1e-2,
        schedule="constant", rebalance=0.0, decoder=(32, 32, 16, 16), **CLEAN,
    )  # fmt: skip
    learner, crops = start(config)
    pixels = crops_of(crops, config, 0)
    batch = Batch.of(pixels)
    truth = torch.cat((batch.lightness, batch.ab), dim=1).permute(0, 2, 3, 1).numpy()

    def error() -> float:
        with torch.no_grad():
            ab = learner.generator(batch.input).ab
        output = torch.cat((batch.lightness, ab), dim=1).permute(0, 2, 3, 1).numpy()
        return float(deltaE_ciede2000(truth, output).mean())

    before = error()
    for step in range(150):
        learner.step(step, [pixels])
    assert before > 10
    assert error() < 3


def test_a_dry_run_writes_nothing(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    command = ["fit", "--preset", "smoke", "--data", str(photo_folder), "--output", "run"]
    monkeypatch.setattr(sys, "argv", [*command, "--dry-run"])
    monkeypatch.chdir(tmp_path)
    assert main() == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["settings"]["encoder"] == "test_resnet"
    assert (
        sum(printed["found"]["train"].values()) + sum(printed["found"]["validation"].values()) == 8
    )
    assert not list(tmp_path.iterdir())


def test_wrong_data_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    command = ["fit", "--data", str(tmp_path), "--output", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", command)
    assert main() == 1
    assert capsys.readouterr().err.startswith("train.fit: ")
