"""Checkpoints: what is saved is what is loaded, and everything else is refused with a sentence."""

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    DISCRIMINATOR_CONFIG_FILE,
    DISCRIMINATOR_FILES,
    DISCRIMINATOR_WEIGHTS_FILE,
    WEIGHTS_FILE,
    AnyGenerator,
    CheckpointError,
    bundled_checkpoint,
    load_checkpoint,
    load_discriminator,
    save_checkpoint,
)
from colorizer.networks.generator import Generator
from tests.helpers.checkpoints import Config, change_config, change_weights, tiny_discriminator
from tests.helpers.hub import point_client_at
from tests.helpers.networks import tiny_generator, tiny_pix2pix


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that may be damaged."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


@pytest.fixture
def adversarial(folder: Path, generator: Generator) -> Path:
    """The copy, with a discriminator."""
    save_checkpoint(folder, generator, 192, tiny_discriminator())
    return folder


@pytest.mark.parametrize("head", ["bins", "tanh"])
def test_what_is_saved_is_what_is_loaded(head: str, tmp_path: Path) -> None:
    generator = tiny_generator(seed=3, head=head)
    torch.nn.init.normal_(generator.head.weight, std=0.1)  # not steeper than float16 can hold
    save_checkpoint(tmp_path / "new" / "folder", generator, 320)
    checkpoint = load_checkpoint(tmp_path / "new" / "folder")
    assert checkpoint.working_size == 320
    assert checkpoint.generator.config == generator.config
    assert not checkpoint.generator.training
    assert checkpoint.source == str(tmp_path / "new" / "folder")
    lightness = 100 * torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        expected, loaded = generator(lightness), checkpoint.generator(lightness)
    assert (loaded.ab - expected.ab).abs().max() < 0.5  # ab units; weights are kept in float16


@pytest.mark.parametrize("space", ["rgb", "ab"])
def test_pix2pix_is_saved_and_loaded(space: str, tmp_path: Path) -> None:
    network = tiny_pix2pix(space)
    save_checkpoint(tmp_path, network, 256)
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.working_size == 256
    assert checkpoint.generator.config == network.config
    assert not checkpoint.generator.training
    assert {value.dtype for value in checkpoint.generator.parameters()} == {torch.float32}
    lightness = 100 * torch.rand(1, 1, 70, 50)
    with torch.inference_mode():
        expected, loaded = network(lightness), checkpoint.generator(lightness)
    assert (loaded.ab - expected.ab).abs().mean() < 0.1  # ab units; weights are kept in float16
    save_checkpoint(tmp_path / "again", checkpoint.generator, 256)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("network", "architecture"), [(tiny_generator, "unet"), (tiny_pix2pix, "pix2pix")]
)
def test_config_names_the_architecture(
    network: Callable[[], AnyGenerator], architecture: str, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path, network(), 192)
    assert json.loads((tmp_path / CONFIG_FILE).read_text())["architecture"] == architecture


def test_a_checkpoint_without_an_architecture_is_a_unet(folder: Path) -> None:
    """As the first ones were."""
    change_config(folder, lambda config: config.pop("architecture"))
    assert isinstance(load_checkpoint(folder).generator, Generator)


@pytest.mark.parametrize("key", ["query_layers", "chroma_gain", "cast_gain", "confidence"])
@pytest.mark.slow
def test_a_checkpoint_without_settings_that_came_later(folder: Path, key: str) -> None:
    expected = load_checkpoint(folder).generator.config
    change_config(folder, lambda config: config["generator"].pop(key))
    assert load_checkpoint(folder).generator.config == expected


def test_a_checkpoint_through_whose_network_hints_went(folder: Path) -> None:
    """It loads without that part; anything else that is left over is an error."""
    expected = load_checkpoint(folder).generator
    weights = load_file(folder / WEIGHTS_FILE)
    more = {"hint_stem.weight": torch.ones(4, 3, 7, 7), "deep_hints.0.weight": torch.ones(16, 3, 3)}
    save_file(weights | more, folder / WEIGHTS_FILE)
    change_config(folder, lambda config: config["generator"].update(deep_hints=True))
    found = load_checkpoint(folder).generator
    assert found.config == expected.config
    for name, value in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
    save_file(weights | {"other.weight": torch.ones(4)}, folder / WEIGHTS_FILE)
    with pytest.raises(CheckpointError, match="do not fit its config"):
        load_checkpoint(folder)


@pytest.mark.parametrize("architecture", ["pix2pix", "vit", None, 1, ["unet"]])
def test_another_architecture(folder: Path, architecture: object) -> None:
    change_config(folder, lambda config: config.update(architecture=architecture))
    with pytest.raises(CheckpointError, match=r"config\.json is not valid \(.*\); get it again\."):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "change",
    [{"space": "lab"}, {"width": 0}, {"width": "4"}, {"width": 8}, {"unknown": 1}],
    ids=str,
)
def test_settings_that_build_no_pix2pix(change: Config, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, tiny_pix2pix(), 256)
    change_config(tmp_path, lambda config: config["generator"].update(change))
    with pytest.raises(CheckpointError, match=r"get (it|both files) again"):
        load_checkpoint(tmp_path)


def test_every_setting_of_pix2pix_must_be_there(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, tiny_pix2pix(), 256)
    change_config(tmp_path, lambda config: config["generator"].pop("space"))
    with pytest.raises(CheckpointError, match=r"is not valid \(.*missing space"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("space", ["ab", "rgb"])
@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.slow
def test_a_discriminator_is_saved_and_loaded(
    space: str, spectral: bool, generator: Generator, tmp_path: Path
) -> None:
    discriminator = tiny_discriminator(space=space, spectral=spectral)
    save_checkpoint(tmp_path, generator, 192, discriminator)
    assert {path.name for path in tmp_path.iterdir()} == {
        CONFIG_FILE,
        WEIGHTS_FILE,
        *DISCRIMINATOR_FILES,
    }
    loaded = load_discriminator(tmp_path)
    assert loaded.config == discriminator.config
    assert loaded.training
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}
    for name, value in discriminator.state_dict().items():
        if value.dim() > 1:
            value = value.half().float()
        assert torch.equal(loaded.state_dict()[name], value), name


def test_a_checkpoint_may_come_without_a_discriminator(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_discriminator(tiny_checkpoint) is None
    monkeypatch.setattr(
        "colorizer.checkpoints.checkpoint.bundled_checkpoint", lambda: tiny_checkpoint
    )
    assert load_discriminator() is None


def test_a_discriminator_does_not_outlive_its_generator(adversarial: Path) -> None:
    save_checkpoint(adversarial, tiny_generator(seed=1), 192)
    assert load_discriminator(adversarial) is None
    assert {path.name for path in adversarial.iterdir()} == {CONFIG_FILE, WEIGHTS_FILE}


def test_a_discriminator_has_no_part_in_loading_the_generator(
    adversarial: Path, tiny_checkpoint: Path
) -> None:
    for name in DISCRIMINATOR_FILES:
        (adversarial / name).write_bytes(b"damaged")
    assert load_checkpoint(adversarial).sha256 == load_checkpoint(tiny_checkpoint).sha256


@pytest.mark.parametrize("name", DISCRIMINATOR_FILES)
def test_half_a_discriminator(adversarial: Path, name: str) -> None:
    (adversarial / name).unlink()
    with pytest.raises(CheckpointError, match=rf"has no {name}; name a folder with discriminator"):
        load_discriminator(adversarial)


@pytest.mark.parametrize("name", DISCRIMINATOR_FILES)
def test_a_damaged_discriminator(adversarial: Path, name: str) -> None:
    (adversarial / name).write_bytes((adversarial / name).read_bytes()[:20])
    with pytest.raises(CheckpointError, match=r"is damaged \(.*\); get it again\."):
        load_discriminator(adversarial)


@pytest.mark.parametrize(
    "change",
    [{"space": "lab"}, {"width": 0}, {"width": 8}, {"strided_layers": 2.5}, {"spectral": True}],
    ids=str,
)
def test_settings_that_do_not_build_the_discriminator(adversarial: Path, change: Config) -> None:
    change_config(adversarial, lambda config: config.update(change), DISCRIMINATOR_CONFIG_FILE)
    with pytest.raises(CheckpointError, match=r"discriminator\.json.*get (it|both files) again"):
        load_discriminator(adversarial)


@pytest.mark.parametrize("content", ["[]", "1", "null", '{"width": 4}'])
def test_a_discriminators_config_of_something_else(adversarial: Path, content: str) -> None:
    (adversarial / DISCRIMINATOR_CONFIG_FILE).write_text(content)
    with pytest.raises(
        CheckpointError, match=r"discriminator\.json is not valid .* get it again\."
    ):
        load_discriminator(adversarial)


def test_undefined_weights_of_a_discriminator(adversarial: Path) -> None:
    change_weights(
        adversarial,
        lambda weights: weights["layers.0.bias"].fill_(float("nan")),
        DISCRIMINATOR_WEIGHTS_FILE,
    )
    with pytest.raises(CheckpointError, match="holds infinite or undefined weights; get it again"):
        load_discriminator(adversarial)


def test_matrices_are_stored_in_half_precision(tiny_checkpoint: Path, generator: Generator) -> None:
    weights = load_file(tiny_checkpoint / WEIGHTS_FILE)
    for name, value in generator.state_dict().items():
        if value.dim() > 1:
            assert weights[name].dtype == torch.float16, name
        else:
            assert torch.equal(weights[name], value), name
    loaded = load_checkpoint(tiny_checkpoint).generator
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}


def test_loading_and_saving_again_changes_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, load_checkpoint(tiny_checkpoint).generator, 192)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        assert (tmp_path / name).read_bytes() == (tiny_checkpoint / name).read_bytes()


def test_saving_leaves_two_files(tiny_checkpoint: Path) -> None:
    assert sorted(path.name for path in tiny_checkpoint.iterdir()) == [CONFIG_FILE, WEIGHTS_FILE]


@pytest.mark.slow
def test_sha256_is_that_of_the_weights(tiny_checkpoint: Path) -> None:
    digest = hashlib.sha256((tiny_checkpoint / WEIGHTS_FILE).read_bytes()).hexdigest()
    assert load_checkpoint(tiny_checkpoint).sha256 == digest


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=rf"has no {name}; name a folder with"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "content", [b"{", b"", b"\xff\xfe\x00\x9f"], ids=["open", "empty", "bytes"]
)
def test_damaged_config(folder: Path, content: bytes) -> None:
    (folder / CONFIG_FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"is damaged \(.*\); get it again\."):
        load_checkpoint(folder)


@pytest.mark.parametrize("keep", [0, 7, 500, -10])
def test_damaged_weights(folder: Path, keep: int) -> None:
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"is damaged \(.*\); get it again\."):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("version", "advice"),
    [
        (2, "update colorizer"),
        (0, "it is not a colorizer checkpoint"),
        (None, "it is not a colorizer checkpoint"),
        ("1", "it is not a colorizer checkpoint"),
    ],
)
def test_other_schema_version(folder: Path, version: object, advice: str) -> None:
    change_config(folder, lambda config: config.update(schema_version=version))
    with pytest.raises(CheckpointError, match=rf"schema version {version}, not 1; {advice}"):
        load_checkpoint(folder)


@pytest.mark.parametrize("content", ["[]", "1", "null", '{"model_type": "bert"}'])
def test_a_config_of_something_else(folder: Path, content: str) -> None:
    (folder / CONFIG_FILE).write_text(content)
    with pytest.raises(CheckpointError, match="it is not a colorizer checkpoint"):
        load_checkpoint(folder)


@pytest.mark.parametrize("key", ["generator", "working_size"])
def test_missing_key(folder: Path, key: str) -> None:
    change_config(folder, lambda config: config.pop(key))
    with pytest.raises(CheckpointError, match=rf"is not valid \(.*{key}.*\); get it again\."):
        load_checkpoint(folder)


def test_every_setting_of_the_generator_must_be_there(folder: Path) -> None:
    change_config(folder, lambda config: config["generator"].pop("temperature"))
    with pytest.raises(CheckpointError, match=r"is not valid \(.*missing temperature"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"head": "softmax"},
        {"unknown": 1},
        {"bins": 5},
        {"bins": [[1, 2], [3]]},
        {"temperature": "hot"},
        {"input_mean": None},
        {"encoder": 5},
        {"encoder": "none_such"},
        {"encoder": "vit_tiny_patch16_224"},
        {"decoder": [6, 6, 6, 6]},
        {"decoder": ["a", "b", "c", "d"]},
        {"context_layers": -1},
    ],
    ids=str,
)
def test_settings_that_build_nothing(folder: Path, change: Config) -> None:
    change_config(folder, lambda config: config["generator"].update(change))
    with pytest.raises(CheckpointError, match=r"get (it|both files) again"):
        load_checkpoint(folder)


@pytest.mark.parametrize("size", ["large", None, 0, -5, 100_000])
def test_impossible_working_size(folder: Path, size: object) -> None:
    change_config(folder, lambda config: config.update(working_size=size))
    with pytest.raises(CheckpointError, match="is not valid"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("head.bias"),
        lambda weights: weights.update(extra=torch.zeros(1)),
        lambda weights: weights.update({"head.bias": torch.zeros(3)}),
    ],
    ids=["missing", "extra", "shape"],
)
def test_weights_that_do_not_fit(folder: Path, change: Callable[..., object]) -> None:
    change_weights(folder, change)
    with pytest.raises(CheckpointError, match=r"do not fit its config\.json; get both files again"):
        load_checkpoint(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_undefined_weights(folder: Path, value: float) -> None:
    change_weights(folder, lambda weights: weights["head.bias"].fill_(value))
    with pytest.raises(CheckpointError, match="holds infinite or undefined weights; get it again"):
        load_checkpoint(folder)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_is_never_read(folder: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()  # the trap works
    sprung.unlink()
    for name in ("pytorch_model.bin", "model.pt", "model.pth", "last.pt", "model.ckpt"):
        (folder / name).write_bytes(pickle.dumps(Trap(sprung)))
    load_checkpoint(folder)
    (folder / WEIGHTS_FILE).write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(CheckpointError, match="is damaged"):
        load_checkpoint(folder)
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(CheckpointError, match=r"has its weights in a pickle \(.*never opened"):
        load_checkpoint(folder)
    assert not sprung.exists()


@pytest.mark.parametrize("source", ["nowhere", "a/b/c", "user/repo@", "/no/folder", "a b/c", "~"])
def test_neither_folder_nor_name(source: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"is neither a folder nor a Hub name like user/repo"):
        load_checkpoint(source)


def test_a_folder_wins_over_a_name(tiny_checkpoint: Path, tmp_path: Path, monkeypatch) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "user" / "repo")
    monkeypatch.chdir(tmp_path)
    point_client_at("http://127.0.0.1:9", monkeypatch)
    assert load_checkpoint("user/repo").source == "user/repo"


def test_the_bundled_checkpoint_lies_beside_the_package(folder: Path, monkeypatch) -> None:
    """Inside it in a wheel, beside it in a clone."""
    package = folder.parent / "colorizer"
    package.mkdir()
    monkeypatch.setattr("colorizer.bundled.PACKAGE", package)
    folder.rename(folder.parent / "weights")
    assert bundled_checkpoint() == folder.parent / "weights"
    load_checkpoint()
    (folder.parent / "weights").rename(package / "weights")
    assert bundled_checkpoint() == package / "weights"
    load_checkpoint(None)
