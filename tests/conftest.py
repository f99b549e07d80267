"""What several test files share: a tiny real network, its checkpoint and a small photo."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState, PartialState
from PIL import Image
from scipy.io import savemat
from torchvision.datasets import Flowers102

from colorizer import Colorizer, Photo
from colorizer.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from colorizer.inference.export import export_onnx
from colorizer.networks.generator import Generator
from tests.helpers.browser import close_browser
from tests.helpers.networks import tiny_generator
from tests.helpers.paths import ROOT
from tests.helpers.photos import Pixels, as_arrays, color_pixels, save_photos

os.environ["COLORIZER_PRECISION"] = "fp32"  # measured, it would differ from run to run
torch.set_num_threads(1)  # tiny networks would only wait for each other's threads
os.environ["OMP_NUM_THREADS"] = "1"  # the same for the processes that tests start
# A shell starts background jobs with SIGINT ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests are slow that use a server, an exported network or the features of VGG16 and AlexNet ...
SLOW_FIXTURES = {"address", "closed", "exported", "hub", "perceptual_files", "tiny_onnx"}
# ... or that run the commands of `train` from end to end.
SLOW_FILES = {
    ROOT / "tests" / "train" / name
    for name in (
        "measure/test_calibrate.py",
        "measure/test_evaluate.py",
        "measure/test_hints.py",
        "measure/test_leaks.py",
        "measure/test_negatives.py",
        "model/test_average.py",
        "publishing/test_folder.py",
        "run/test_plots.py",
    )
}


@pytest.hookimpl(tryfirst=True)  # before pytest selects tests by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests by what they use."""
    for item in items:
        uses = set(item.fixturenames) if isinstance(item, pytest.Function) else set()
        if item.path in SLOW_FILES or SLOW_FIXTURES & uses:
            item.add_marker(pytest.mark.slow)
    # Files that take long go first, so that all processes of `pytest -n` end at about one time.
    files: dict[Path, int] = {}
    for item in items:
        rank = 0 if "browser" in item.keywords else 1 if "slow" in item.keywords else 2
        files[item.path] = min(rank, files.get(item.path, rank))
    items.sort(key=lambda item: files[item.path])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """What a test did to the number of threads ends with it: sums depend on it."""
    yield
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="module")
def own_browser() -> Iterator[None]:
    """The tests of a file share a browser; asyncio and other users of Playwright come after it."""
    yield
    close_browser()


@pytest.fixture(autouse=True)
def fresh_accelerator() -> None:
    """Else the first run's precision is every run's."""
    AcceleratorState._reset_state(True)
    PartialState._reset_state()


@pytest.fixture(scope="session")
def generator() -> Generator:
    """The tiny network with the bins head; tests must not change it."""
    return tiny_generator()


@pytest.fixture(scope="session")
def tiny_checkpoint(generator: Generator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny network as a checkpoint folder; tests must not change it."""
    folder = tmp_path_factory.mktemp("tiny")
    save_checkpoint(folder, generator, 192)
    return folder


@pytest.fixture(scope="session")
def tiny_colorizer(tiny_checkpoint: Path) -> Colorizer:
    """A `Colorizer` with the tiny network."""
    return Colorizer.load(tiny_checkpoint, "cpu")


@pytest.fixture(scope="session")
def tiny_onnx(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint as an ONNX file in float32."""
    folder = tmp_path_factory.mktemp("onnx")
    return export_onnx(load_checkpoint(tiny_checkpoint), folder)["fp32"]


@pytest.fixture(scope="session")
def tanh_colorizer(tmp_path_factory: pytest.TempPathFactory) -> Colorizer:
    """A `Colorizer` whose tiny network predicts ab without a distribution."""
    folder = tmp_path_factory.mktemp("tanh")
    save_checkpoint(folder, tiny_generator(head="tanh"), 192)
    return Colorizer.load(folder, "cpu")


@pytest.fixture(scope="session")
def color_photo() -> Photo:
    """A color photo of 61 x 83 pixels."""
    return Photo(color_pixels(61, 83), "JPEG")


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small color photos as files, a.png to h.png."""
    folder = tmp_path_factory.mktemp("photos")
    for number, name in enumerate("abcdefgh"):
        Image.fromarray(color_pixels(48, 64, seed=number)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def save_image(tmp_path: Path) -> Callable[..., Path]:
    """Saves an array or a Pillow image below the test's folder and returns the path."""

    def save(picture: Pixels | Image.Image, name: str, **options: object) -> Path:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **options)
        return path

    return save


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A folder with three pairs, whose gray is not the color's."""
    save_photos(tmp_path / "set" / "color", ("a.png", "b.png", "c.png"))
    (tmp_path / "set" / "gray").mkdir()
    for number, name in enumerate("abc"):
        gray = np.full((24, 32), 50 + 10 * number, np.uint8)
        Image.fromarray(gray).save(tmp_path / "set" / "gray" / f"{name}.tif")
    return tmp_path / "set"


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """Six photos: L in one array, ab in parts of 2, 3 and 1."""
    pixels = np.stack([color_pixels(24, 32, seed=seed) for seed in range(6)])
    lightness, ab = as_arrays(pixels)
    folder = tmp_path / "lab"
    (folder / "l").mkdir(parents=True)
    (folder / "ab" / "ab").mkdir(parents=True)
    np.save(folder / "l" / "gray_scale.npy", lightness)
    for part, rows in {"ab1": slice(0, 2), "ab2": slice(2, 5), "ab10": slice(5, 6)}.items():
        np.save(folder / "ab" / "ab" / f"{part}.npy", ab[rows])
    return folder


@pytest.fixture
def flowers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of six flowers in torchvision's layout; only its checksums are not the real ones."""
    base = tmp_path / "data" / "flowers-102"
    save_photos(base / "jpg", [f"image_{number:05d}.jpg" for number in range(1, 7)])
    savemat(base / "imagelabels.mat", {"labels": np.arange(1, 7)})
    savemat(base / "setid.mat", {"trnid": [2, 5], "valid": [1, 6], "tstid": [3, 4]})
    monkeypatch.setattr(Flowers102, "_check_integrity", lambda self: base.is_dir())
    return base.parent
