"""Training: a short run writes what it should, resumes to the same weights, and learns."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from accelerate.state import AcceleratorState
from PIL import Image
from safetensors.torch import save_file

import train.fit
from colorizer import Colorizer, Photo
from colorizer.color import ab_bins, rgb_to_lab
from colorizer.generator import Generator
from tests.conftest import color_pixels, tiny_generator
from train.config import TrainConfig
from train.fit import build_generator, fit, parameter_groups, rate_factor
from train.losses import BinLoss, ab_loss


@pytest.fixture(autouse=True)
def tiny(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fit` builds the tiny network instead of one of real size."""
    AcceleratorState._reset_state(True)  # else the first run's precision is every run's
    if "real" in request.node.name:
        return

    def build(config: TrainConfig) -> Generator:
        return tiny_generator(head=config.head).train()

    monkeypatch.setattr(train.fit, "build_generator", build)


def settings(data: Path, output: Path, **changes: object) -> TrainConfig:
    values: dict[str, object] = {
        "photos": 8,
        "batch": 2,
        "crops": (32,),
        "crop_starts": (0.0,),
        "warmup": 1,
        "ema_half_life": 4,
        "mixed_precision": "no",
        "workers": 0,
        "log_every": 1,
        "save_every": 2,
        "hint_share": 0.5,
    }
    return TrainConfig(data=(str(data),), output=str(output), **(values | changes))  # type: ignore[arg-type]


def read_log(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def weights(run: Path) -> dict[str, dict[str, torch.Tensor]]:
    state = torch.load(run / "last.pt", weights_only=True)
    return {name: state[name] for name in ("generator", "ema")}


def difference(one: Path, other: Path) -> float:
    """Largest over all weights and averaged weights."""
    first, second = weights(one), weights(other)
    return max(
        float((value.double() - second[kind][name].double()).abs().max())
        for kind, values in first.items()
        for name, value in values.items()
    )


@pytest.fixture(scope="module")
def straight(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four steps with validation, as one of the tests' yardsticks."""
    run = tmp_path_factory.mktemp("runs") / "straight"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train.fit, "build_generator", lambda config: tiny_generator().train())
        assert fit(settings(photo_folder, run, val_data=(str(photo_folder),))) == run / "checkpoint"
    return run


def test_a_run_leaves_a_checkpoint_that_colorizes(straight: Path) -> None:
    result = Colorizer.load(straight / "checkpoint", "cpu").colorize(Photo(color_pixels(40, 50)))
    assert result.colorized.size == (40, 50)


def test_a_run_leaves_its_log_settings_and_samples(straight: Path) -> None:
    lines = read_log(straight)
    losses = [line for line in lines if "bins" in line]
    validation = [line for line in lines if "val_error" in line]
    assert [line["step"] for line in losses] == [1, 2, 3, 4]
    assert [line["step"] for line in validation] == [2, 4]
    assert set(losses[0]) == {"step", "rate", "crop", "norm", "ab", "bins"}
    assert losses[0]["crop"] == 32
    assert all(math.isfinite(value) for line in lines for value in line.values())
    assert json.loads((straight / "train_config.json").read_text())["photos"] == 8
    sheets = sorted((straight / "samples").iterdir())
    assert [sheet.name for sheet in sheets] == ["0000002.png", "0000004.png"]
    assert Image.open(sheets[0]).width > 3 * 64  # gray, truth and output side by side
    assert not list(straight.glob("**/*.part"))


def test_the_checkpoint_holds_the_averaged_weights(straight: Path) -> None:
    state = weights(straight)
    loaded = Colorizer.load(straight / "checkpoint", "cpu").checkpoint.generator.state_dict()
    name = "head.weight"
    assert torch.allclose(loaded[name], state["ema"][name], atol=2e-3)
    assert not torch.equal(state["ema"][name], state["generator"][name])


def test_a_run_repeats_exactly(straight: Path, photo_folder: Path, tmp_path: Path) -> None:
    fit(settings(photo_folder, tmp_path))
    assert difference(straight, tmp_path) < 1e-6
    fit(settings(photo_folder, tmp_path / "other", seed=1))
    assert difference(straight, tmp_path / "other") > 1e-4


def test_a_stopped_run_resumes_to_the_same_weights(
    straight: Path, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = train.fit.log

    def power_cut(output: Path, **values: float) -> None:
        if values["step"] == 3:
            raise InterruptedError
        log(output, **values)

    with monkeypatch.context() as patch:
        patch.setattr(train.fit, "log", power_cut)
        with pytest.raises(InterruptedError):
            fit(settings(photo_folder, tmp_path))
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 2
    fit(settings(photo_folder, tmp_path, resume=True))
    assert difference(straight, tmp_path) < 1e-6
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2, 3, 4]
    kept = [line for line in read_log(straight) if "bins" in line]
    assert read_log(tmp_path) == kept


def test_the_log_has_each_step_once_after_a_late_stop(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps after the last save are trained, and logged, again."""
    log = train.fit.log

    def power_cut(output: Path, **values: float) -> None:
        log(output, **values)
        if values["step"] == 3:
            raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(train.fit, "log", power_cut)
        with pytest.raises(InterruptedError):
            fit(settings(photo_folder, tmp_path))
    fit(settings(photo_folder, tmp_path, resume=True))
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2, 3, 4]


def test_resuming_a_finished_run_changes_nothing(photo_folder: Path, tmp_path: Path) -> None:
    fit(settings(photo_folder, tmp_path))
    before = (tmp_path / "checkpoint" / "model.safetensors").read_bytes()
    assert fit(settings(photo_folder, tmp_path, resume=True)) == tmp_path / "checkpoint"
    assert (tmp_path / "checkpoint" / "model.safetensors").read_bytes() == before


def test_nothing_to_resume(photo_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no run to resume; leave out --resume to start one"):
        fit(settings(photo_folder, tmp_path, resume=True))


@pytest.mark.parametrize("changes", [{"head": "tanh"}, {"mixed_precision": "bf16"}], ids=str)
def test_other_kinds_of_runs(
    photo_folder: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    fit(settings(photo_folder, tmp_path, photos=4, **changes))
    assert Colorizer.load(tmp_path / "checkpoint", "cpu")
    assert all(math.isfinite(value) for line in read_log(tmp_path) for value in line.values())


def test_validation_photos_of_different_sizes(photo_folder: Path, tmp_path: Path) -> None:
    """As any folder of photos holds."""
    for number in range(7):
        size = (40, 60) if number else (60, 40)
        Image.fromarray(color_pixels(*size, seed=number)).save(tmp_path / f"{number}.png")
    config = settings(photo_folder, tmp_path / "run", photos=2, val_data=(str(tmp_path),))
    fit(config)
    assert (tmp_path / "run" / "samples" / "0000001.png").exists()


def test_rate_warms_up_and_decays() -> None:
    config = TrainConfig(photos=1000, batch=1, warmup=100)
    factors = np.array([rate_factor(step, config) for step in range(1000)])
    assert factors[0] == pytest.approx(0.01)
    assert factors[49] == pytest.approx(0.5)
    assert factors[99] == factors[100] == pytest.approx(1)
    assert factors[550] == pytest.approx(0.505, abs=0.01)
    assert factors[999] == pytest.approx(0.01, abs=0.001)
    assert (np.diff(factors[:100]) > 0).all()
    assert (np.diff(factors[100:]) < 0).all()


def test_rate_without_warmup() -> None:
    assert rate_factor(0, TrainConfig(photos=100, batch=1, warmup=0)) == 1


@pytest.mark.parametrize(("frozen_stride", "frozen"), [(0, 0), (2, 1), (4, 2), (32, 5)])
def test_the_first_stages_stay_as_pretrained(frozen_stride: int, frozen: int) -> None:
    generator = tiny_generator()
    groups = parameter_groups(generator, TrainConfig(frozen_stride=frozen_stride))
    stages = ["conv1", "layer1", "layer2", "layer3", "layer4"]
    for number, name in enumerate(stages):
        trained = {value.requires_grad for value in generator.encoder[name].parameters()}
        assert trained == {number >= frozen}
    listed = [value for group in groups for value in group["params"]]
    wanted = [value for value in generator.parameters() if value.requires_grad]
    assert {id(value) for value in listed} == {id(value) for value in wanted}
    assert [group["peak"] for group in groups] == [1e-4, 1e-3]


def test_frozen_weights_do_not_move(straight: Path) -> None:
    before = tiny_generator().state_dict()
    after = weights(straight)["generator"]
    for name, value in before.items():
        if name.startswith(("encoder.conv1", "encoder.layer1")) and "running" not in name:
            assert torch.equal(after[name], value), name
    assert not torch.equal(
        after["encoder.layer4.0.conv1.weight"], before["encoder.layer4.0.conv1.weight"]
    )
    assert not torch.equal(after["hint_stem.weight"], before["hint_stem.weight"])


def test_one_batch_can_be_learned_by_heart() -> None:
    generator = tiny_generator().train()
    optimizer = torch.optim.AdamW(generator.parameters(), 1e-2)
    photos = [torch.from_numpy(color_pixels(64, 64, seed)).permute(2, 0, 1) for seed in (1, 2)]
    lab = rgb_to_lab(torch.stack(photos) / 255)
    lightness, ab = lab[:, :1], lab[:, 1:]
    bins = len(ab_bins())
    bin_loss = BinLoss(generator.bins, torch.full((bins,), 1 / bins), 0.5)
    errors = []
    for _ in range(80):
        prediction = generator(lightness)
        loss = bin_loss(prediction.logits, torch.nn.functional.avg_pool2d(ab, 4))
        loss = loss + 0.05 * ab_loss(prediction.ab, ab)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(float((prediction.ab - ab).norm(dim=1).mean().detach()))
    gray = float(ab.norm(dim=1).mean())
    assert errors[0] > 0.8 * gray
    assert errors[-1] < 0.3 * gray


@pytest.mark.parametrize("encoder", ["resnet18", "resnet10t"])
def test_real_generators_start_from_pretrained_encoders(
    encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a local file timm is asked for the weights, as --encoder-weights says."""
    asked = []
    create = timm.create_model

    def spy(name: str, pretrained: bool = False, **options: object) -> object:
        asked.append(pretrained)
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", spy)
    build_generator(TrainConfig(encoder=encoder))
    assert any(asked)


def test_a_real_generator_takes_a_local_encoder(tmp_path: Path) -> None:
    encoder = timm.create_model("resnet18", features_only=True, pretrained=False).eval()
    path = tmp_path / "encoder.safetensors"
    save_file(encoder.state_dict(), path)
    config = TrainConfig(encoder="resnet18", encoder_weights=str(path))
    generator = build_generator(config)
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected, features = encoder(picture), generator.encoder(picture)
    assert torch.allclose(features[-1], expected[-1], atol=1e-4)
