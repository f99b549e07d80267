"""Photos: every kind opens upright and whole, every failure has its sentence, saving is safe."""

import errno
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from colorizer import Photo, PhotoError
from colorizer.imaging.resampling import resize
from colorizer.photo.formats import FORMAT_SUFFIXES
from tests.helpers.photos import UPRIGHT, SaveImage, color_pixels


@pytest.fixture
def pixels() -> np.ndarray:
    return color_pixels(20, 30)


def test_path_file_object_and_image_give_the_same(save_image: SaveImage, pixels) -> None:
    path = save_image(pixels, "a.png")
    with path.open("rb") as file:
        photos = [Photo.open(path), Photo.open(str(path)), Photo.open(file)]
    photos += [Photo.open(io.BytesIO(path.read_bytes())), Photo.open(Image.fromarray(pixels))]
    for photo in photos:
        assert np.array_equal(photo.pixels, pixels)
        assert photo.format == "PNG"
        assert photo.size == (20, 30)


def test_format_is_that_of_the_content(save_image: SaveImage, pixels) -> None:
    assert Photo.open(save_image(pixels, "a.png", format="JPEG")).format == "JPEG"


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_orientation_is_applied(save_image: SaveImage, pixels, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = Photo.open(save_image(pixels, "a.png", exif=exif))
    assert np.array_equal(photo.pixels, UPRIGHT[orientation](pixels))


def test_palette_keeps_its_colors(save_image: SaveImage) -> None:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([0, 0, 0, 200, 30, 60])
    photo = Photo.open(save_image(image, "a.png"))
    assert photo.pixels.shape == (2, 4, 3)
    assert (photo.pixels == (200, 30, 60)).all()


def test_1_bit(save_image: SaveImage) -> None:
    bits = np.array([[True, False], [False, True]])
    photo = Photo.open(save_image(bits, "a.png"))
    assert photo.pixels[:, :, 0].tolist() == [[255, 0], [0, 255]]


def test_cmyk(save_image: SaveImage) -> None:
    image = Image.fromarray(np.full((8, 8, 3), (200, 30, 60), np.uint8)).convert("CMYK")
    photo = Photo.open(save_image(image, "a.jpg", quality=100))
    assert np.abs(photo.pixels.astype(int) - (200, 30, 60)).max() <= 3


def test_equal_channels_become_one(save_image: SaveImage) -> None:
    gray = color_pixels(9, 7)[:, :, :1]
    photo = Photo.open(save_image(np.repeat(gray, 3, axis=2), "a.png"))
    assert np.array_equal(photo.pixels, gray)


def test_nearly_equal_channels_stay_three(save_image: SaveImage) -> None:
    almost = np.repeat(color_pixels(9, 7)[:, :, :1] // 2, 3, axis=2)
    almost[8, 6, 2] += 1
    assert Photo.open(save_image(almost, "a.png")).pixels.shape == (9, 7, 3)


def test_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [Image.new("L", (3, 3), level) for level in (10, 200)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    assert (Photo.open(tmp_path / "a.tif").pixels == 10).all()


def test_lightness_agrees_with_scikit_image(pixels) -> None:
    lightness = Photo(pixels).lightness
    assert lightness.dtype == np.float32
    assert np.abs(lightness - rgb2lab(pixels)[:, :, 0]).max() < 0.01


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(16, 11), (15, 21), (61, 83), (100, 90)])
def test_resized_lightness_is_that_of_the_whole(
    size: tuple[int, int], channels: int, monkeypatch
) -> None:
    monkeypatch.setattr("colorizer.imaging.bands.BAND_PIXELS", 83 * 5)
    photo = Photo(color_pixels(61, 83)[:, :, :channels])
    assert np.abs(photo.resized_lightness(size) - resize(photo.lightness, size)).max() < 1e-3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(15, 20), (7, 11), (1, 1)])
def test_lightness_resized_to_a_quarter_or_less(
    size: tuple[int, int], channels: int, dtype: type, monkeypatch
) -> None:
    """As grainy as a scan."""
    monkeypatch.setattr("colorizer.imaging.bands.BAND_PIXELS", 84 * 5)
    grain = np.random.default_rng(0).normal(0, 5, (62, 84, 1))
    levels = (color_pixels(62, 84)[:, :, :channels] + grain).clip(0, 255) / 255
    photo = Photo((levels * np.iinfo(dtype).max).astype(dtype))
    difference = np.abs(photo.resized_lightness(size) - resize(photo.lightness, size))
    assert difference.mean() < 0.3
    assert difference.max() < 1.5


def test_lightness_of_every_gray_level() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    expected = rgb2lab(np.repeat(levels, 3, axis=2))[:, :, 0]
    assert np.abs(Photo(levels).lightness - expected).max() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (3, 1), (2, 5)])
@pytest.mark.parametrize("channels", [1, 3])
def test_lightness_of_the_smallest_photos(size: tuple[int, int], channels: int) -> None:
    pixels = color_pixels(*size)[:, :, :channels]
    photo = Photo(np.ascontiguousarray(pixels))
    expected = rgb2lab(np.broadcast_to(pixels, (*size, 3)))[:, :, 0]
    assert photo.lightness.shape == size
    assert np.abs(photo.lightness - expected).max() < 0.01


def test_lightness_in_bands_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch, pixels) -> None:
    whole = Photo(pixels)
    expected, gray = whole.lightness, whole.to_gray().pixels
    monkeypatch.setattr("colorizer.imaging.bands.BAND_PIXELS", 70)
    banded = Photo(pixels)
    assert np.abs(banded.lightness - expected).max() < 1e-4
    assert np.abs(banded.to_gray().pixels.astype(int) - gray).max() <= 1
    assert (banded.to_gray().pixels == gray).mean() > 0.99


def test_to_gray_keeps_lightness(pixels) -> None:
    photo = Photo(pixels, "JPEG")
    gray = photo.to_gray()
    assert gray.pixels.shape == (20, 30, 1)
    assert gray.format == "JPEG"
    assert np.abs(gray.lightness - photo.lightness).max() < 0.3  # half a gray level
    assert gray.to_gray() is gray


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 4), np.uint8),
        np.zeros((2, 2, 3), np.float32),
        np.zeros((0, 2, 3), np.uint8),
    ],
    ids=lambda bad: f"{bad.dtype}-{bad.shape}",
)
def test_wrong_pixels_are_refused(bad) -> None:
    with pytest.raises(PhotoError, match=r"give uint8 or uint16 \(height, width, 1 or 3\)"):
        Photo(bad)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"none\.jpg does not exist; check the path\."):
        Photo.open(tmp_path / "none.jpg")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"is a folder; name the photos in it\."):
        Photo.open(tmp_path)


def test_no_permission(save_image: SaveImage, pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of the system; whoever runs the tests may be allowed everything."""
    path = save_image(pixels, "a.png")

    def refuse(*arguments: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", refuse)
        with pytest.raises(PhotoError, match=r"a\.png may not be read; change its permissions\."):
            Photo.open(path)
    monkeypatch.setattr("colorizer.photo.encode.os.replace", refuse)
    with pytest.raises(PhotoError, match=r"b\.png can't be written: Permission denied\. Choose an"):
        Photo(pixels).save(path.with_name("b.png"))
    assert [found.name for found in path.parent.iterdir()] == ["a.png"]


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_an_interrupted_save_leaves_nothing(tmp_path: Path, pixels, error, monkeypatch) -> None:
    def stop(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("colorizer.photo.encode.os.replace", stop)
    with pytest.raises((PhotoError, KeyboardInterrupt)):
        Photo(pixels).save(tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_gif_of_50_megapixels(save_image: SaveImage) -> None:
    photo = Photo.open(save_image(Image.new("P", (10_000, 5_000), 1), "a.gif"))
    assert photo.size == (5_000, 10_000)


@pytest.mark.parametrize("content", [b"no photo, only text", b""], ids=["text", "empty"])
def test_what_is_no_photo(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=r"a\.jpg is not a photo in a known format; convert it"):
        Photo.open(path)
    with pytest.raises(PhotoError, match="The photo is not a photo in a known format"):
        Photo.open(io.BytesIO(content))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_truncated_file(save_image: SaveImage, name: str) -> None:
    path = save_image(color_pixels(64, 64), name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PhotoError, match=rf"{name} is damaged|{name} is not a photo"):
        Photo.open(path)


@pytest.mark.filterwarnings("ignore")  # Pillow's, about the damage
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP"])
def test_no_damage_escapes_as_another_error(format: str) -> None:
    """Random bytes overwritten in a file: it opens or it is a PhotoError, never anything else."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if format in ("GIF", "BMP") else {"exif": exif}
    Image.fromarray(color_pixels(12, 16)).save(buffer, format, **options)
    random = np.random.default_rng(0)
    failed = 0
    for _ in range(150):
        data = bytearray(buffer.getvalue())
        for position in random.integers(0, min(len(data), 400), 3):
            data[position] = random.integers(256)
        try:
            Photo.open(io.BytesIO(data[: random.integers(8, len(data) + 1)]))
        except PhotoError:
            failed += 1
    assert failed > 10


def png_header(width: int, height: int) -> bytes:
    """A gray PNG of this size that stops after its header."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IDAT"
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + struct.pack(">I", 0)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
    )


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg", "a.gif"])
def test_decompression_bomb(save_image: SaveImage, name: str) -> None:
    path = save_image(color_pixels(20, 30), name)
    with pytest.raises(PhotoError, match=rf"{name} has more than 0\.000599 megapixels; make it sm"):
        Photo.open(path, max_pixels=599)
    assert Photo.open(path, max_pixels=600).size == (20, 30)
    with Image.open(path) as image:  # whose limit is that of the whole process
        assert image.size == (30, 20)


@pytest.mark.parametrize(
    ("name", "gigabytes"), [("a.jp2", "11.4"), ("a.webp", "9.6"), ("a.avif", "7.2")]
)
def test_what_takes_more_memory_than_the_largest_photo(
    save_image: SaveImage, name: str, gigabytes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the limit were 600 pixels; so is the photo."""
    path = save_image(color_pixels(20, 30), name)
    monkeypatch.setattr("colorizer.photo.limits.MAX_PIXELS", 600)
    monkeypatch.setattr("colorizer.photo.limits.GIGABYTE", 1000)
    expected = rf"{name} takes {gigabytes} GB of memory to decode; convert it to TIFF\."
    with pytest.raises(PhotoError, match=expected):
        Photo.open(path, max_pixels=600)
    assert Photo.open(path, max_pixels=2000).size == (20, 30)  # more memory is allowed


def test_small_tiles_take_little_memory(save_image: SaveImage, monkeypatch) -> None:
    monkeypatch.setattr("colorizer.photo.limits.MAX_PIXELS", 600)
    path = save_image(color_pixels(20, 30), "a.jp2", tile_size=(8, 8))
    assert Photo.open(path, max_pixels=600).size == (20, 30)


def test_photos_up_to_the_limit_are_no_bombs() -> None:
    """Pillow's own limit (179 megapixels) must not stop a photo below ours (250)."""
    with pytest.raises(PhotoError, match="has more than 250 megapixels"):
        Photo.open(io.BytesIO(png_header(20_000, 13_000)))
    with pytest.raises(PhotoError, match="is damaged"):
        Photo.open(io.BytesIO(png_header(19_000, 10_000)))


@pytest.mark.filterwarnings("error")
def test_large_photos_open_without_a_warning() -> None:
    """Pillow warns from 89 megapixels on."""
    with pytest.raises(PhotoError, match="is damaged"):
        Photo.open(io.BytesIO(png_header(10_000, 10_000)))


@pytest.mark.parametrize("format", FORMAT_SUFFIXES)
@pytest.mark.parametrize("channels", [1, 3])
def test_saved_photo_opens_again(tmp_path: Path, format: str, channels: int) -> None:
    photo = Photo(np.ascontiguousarray(color_pixels(33, 47)[:, :, :channels]))
    path = tmp_path / f"a{FORMAT_SUFFIXES[format]}"
    photo.save(path)
    again = Photo.open(path)
    assert again.format == format
    assert again.size == photo.size
    difference = np.abs(again.pixels.astype(int) - photo.pixels.astype(int))
    if format in ("PNG", "TIFF"):
        assert difference.max() == 0
    assert difference.mean() < 3
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["a.JPG", "a.jpeg", "a.Tiff"])
def test_endings_in_any_case(tmp_path: Path, pixels, name: str) -> None:
    Photo(pixels).save(tmp_path / name)
    assert Photo.open(tmp_path / name).format in ("JPEG", "TIFF")


def test_named_format_wins_over_the_ending(tmp_path: Path, pixels) -> None:
    Photo(pixels).save(tmp_path / "a.jpg", format="PNG")
    assert Photo.open(tmp_path / "a.jpg").format == "PNG"


def test_jpeg_keeps_full_chroma_and_follows_quality(tmp_path: Path) -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (255, 0, 0), (0, 0, 255)
    Photo(stripes).save(tmp_path / "a.jpg")
    Photo(stripes).save(tmp_path / "b.jpg", quality=20)
    with Image.open(tmp_path / "a.jpg") as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]  # 4:4:4
    assert np.abs(Photo.open(tmp_path / "a.jpg").pixels.astype(int) - stripes).mean() < 8
    assert (tmp_path / "b.jpg").stat().st_size < (tmp_path / "a.jpg").stat().st_size


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.jxl"])
def test_unknown_format_cannot_be_saved(tmp_path: Path, pixels, name: str) -> None:
    with pytest.raises(PhotoError, match=r"can't be written as .*; use one of JPEG, PNG, TIFF"):
        Photo(pixels).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_missing_target_folder(tmp_path: Path, pixels) -> None:
    with pytest.raises(PhotoError, match=r"a\.png can't be written: No such file or directory\."):
        Photo(pixels).save(tmp_path / "none" / "a.png")


def test_failed_save_keeps_the_old_file_and_leaves_nothing(tmp_path: Path, pixels) -> None:
    """JPEG holds at most 65500 pixels a side, WebP 16383."""
    long = Photo(np.zeros((1, 70_000, 1), np.uint8))
    for name in ("a.jpg", "a.webp"):
        target = tmp_path / name
        Photo(pixels).save(target)
        before = target.read_bytes()
        with pytest.raises(PhotoError, match="can't be written"):
            long.save(target)
        assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.webp"]


def test_a_folder_in_the_way_leaves_no_part(tmp_path: Path, pixels) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(PhotoError, match="can't be written"):
        Photo(pixels).save(tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
