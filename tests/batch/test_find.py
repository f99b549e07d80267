"""Finding photos: in files, folders and patterns, but never results."""

import os
import socket
from pathlib import Path

import pytest

from colorizer.batch.find import find_photos
from colorizer.batch.report import Report, Row

FILES = ("b.jpg", "a.PNG", "1950/c.tif", "1950/more/d.heic", "1960/c.tif")
OTHERS = ("notes.txt", "1950/Thumbs.db", ".hidden.jpg", "1950/._c.tif", ".trash/e.jpg")


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with empty files: five photos in a tree, and what is none."""
    for name in (*FILES, *OTHERS):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "album"


def places(names: list[Path | str], output: Path) -> list[str]:
    return [item.relative.as_posix() for item in find_photos([str(name) for name in names], output)]


def test_a_folder_is_searched_to_its_ends_in_the_order_of_names(album, tmp_path) -> None:
    found = find_photos([str(album)], tmp_path / "out")
    assert [item.relative.as_posix() for item in found] == [
        *("a.PNG", "b.jpg", "1950/c.tif", "1950/more/d.heic", "1960/c.tif"),
    ]
    assert all(item.source == album / item.relative and not item.problem for item in found)


def test_several_folders_keep_their_names(album, tmp_path) -> None:
    out = tmp_path / "out"
    assert places([album / "1950", album / "1960"], out) == [
        *("1950/c.tif", "1950/more/d.heic", "1960/c.tif"),
    ]
    assert places([album / "1960", album / "b.jpg"], out) == ["1960/c.tif", "b.jpg"]


def test_a_folder_named_by_a_dot_has_its_real_name(album, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(album / "1960")
    assert places([".", "../b.jpg"], tmp_path / "out") == ["1960/c.tif", "b.jpg"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", ["b.jpg"]),
        ("**/*.tif", ["1950/c.tif", "1960/c.tif"]),
        ("19?0", ["1950/c.tif", "1950/more/d.heic", "1960/c.tif"]),
        ("1950/*", ["Thumbs.db", "c.tif", "more/d.heic"]),  # as of a shell
    ],
)
def test_patterns_that_no_shell_has_expanded(album, tmp_path, pattern, expected) -> None:
    assert places([album / pattern], tmp_path / "out") == expected


def test_a_file_whose_name_looks_like_a_pattern(album, tmp_path) -> None:
    (album / "b[1].jpg").touch()
    assert places([album / "b[1].jpg"], tmp_path / "out") == ["b[1].jpg"]


def test_nothing_counts_twice(album, tmp_path) -> None:
    names = [album / "b.jpg", album, album / "1950" / ".." / "b.jpg", album / "*.jpg"]
    assert len(places(names, tmp_path / "out")) == len(FILES)


def test_what_is_not_there_is_a_problem(album, tmp_path) -> None:
    names = [str(album / "none.jpg"), str(album / "*.webp")]
    found = find_photos(names, tmp_path / "out")
    assert [item.problem for item in found] == [
        f"{names[0]} does not exist; check the path.",
        f"{names[1]} matches no file; check it.",
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are of another kind")
def test_a_folder_that_may_not_be_searched(album, tmp_path, monkeypatch) -> None:
    scandir = os.scandir

    def refuse(path: str):  # root may search everything
        if path == str(album / "1950"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_photos([str(album)], tmp_path / "out")
    assert [item.source.name for item in found] == ["a.PNG", "b.jpg", "c.tif", "1950"]
    sentence = f"{album / '1950'} can't be searched (Permission denied); change its permissions."
    assert found[-1].problem == sentence


def test_results_inside_the_album_are_no_photos(album) -> None:
    out = album / "colored"
    out.mkdir()
    (out / "b_color.jpg").touch()
    assert len(places([album], out)) == len(FILES)
    assert "colored/b_color.jpg" in places([album], album / "other")  # nobody said it was a result
    with Report(out) as report:
        report.add(album / "b.jpg", out / "b_color.jpg", Row(status="done"))
    assert len(places([album], album / "other")) == len(FILES)
    assert places([album / "**" / "*_color.jpg"], album / "other") == ["."]  # a problem
    assert places([album / "colored" / "b_color.jpg"], album / "other") == ["b_color.jpg"]


def test_results_beside_their_photos_are_no_photos_even_after_a_kill(album) -> None:
    report = Report(album)
    (album / "b_color.jpg").touch()
    report.start(album / "b.jpg", album / "b_color.jpg")  # and nobody saves it
    assert places([album / "*.jpg"], album) == ["b.jpg"]


def test_a_report_of_something_else_does_not_matter(album, tmp_path) -> None:
    (album / "report.csv").write_text("month,amount\n1,2\n")
    assert len(places([album], tmp_path / "out")) == len(FILES)


def test_results_do_not_go_into_the_folder_of_the_photos(album) -> None:
    with pytest.raises(ValueError, match="where the photos are; choose another folder"):
        find_photos([str(album)], album / "1950" / "..")


# Names as people and devices make them


def test_folders_of_systems_and_trash_are_left_out(album, tmp_path) -> None:
    for folder in ("@eaDir/b.jpg", "#recycle", "$RECYCLE.BIN", "__MACOSX", "1950/lost+found"):
        (album / folder).mkdir(parents=True)
        (album / folder / "x.jpg").touch()
    assert len(places([album], tmp_path / "out")) == len(FILES)
    assert len(places([album / "**" / "*.jpg"], tmp_path / "out")) == 1
    assert len(places([album / "#recycle"], tmp_path / "out")) == 1  # named itself


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has neither")
def test_links_and_pipes_in_folders_are_skipped(album, tmp_path) -> None:
    os.mkfifo(album / "pipe.jpg")
    (album / "link.jpg").symlink_to("b.jpg")
    (album / "dangling.jpg").symlink_to("nowhere.jpg")
    (album / "loop").symlink_to(".")
    with socket.socket(socket.AF_UNIX) as server:
        previous = os.getcwd()
        os.chdir(album)  # for paths of sockets are short
        server.bind("socket.jpg")
        os.chdir(previous)
    found = find_photos([str(album)], tmp_path / "out")
    assert len([item for item in found if not item.problem]) == len(FILES)
    skipped = {item.source.name: item.problem for item in found if item.skipped}
    assert skipped.keys() == {"pipe.jpg", "link.jpg", "dangling.jpg", "loop", "socket.jpg"}
    assert "is a link and was skipped" in skipped["link.jpg"]
    assert "is a pipe, a device or a socket" in skipped["pipe.jpg"]
    (pipe,) = find_photos([str(album / "pipe.jpg")])
    assert pipe.skipped
    (link,) = find_photos([str(album / "link.jpg")])  # named itself
    assert not link.problem


def test_names_that_are_too_long_are_problems() -> None:
    (found,) = find_photos(["x" * 300])
    assert found.problem == f"{'x' * 300} has too long a name; check the path."
