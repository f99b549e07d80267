"""The benchmark of the data path: a row for each way to make crops."""

from pathlib import Path

import pytest

from benchmarks import data_path


def test_every_way_has_a_row(photo_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--crop", "32", "--batch", "2", "--workers", "0", "--rounds", "2", "--batches", "1"]
    assert data_path.main([str(photo_folder), *options]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()[2:]]
    names = [row[0].strip() for row in rows]
    assert names[:3] == ["workers, decoded each time", "workers, cached", "kept on cpu"]
    for row in rows:
        median, lowest, highest = map(float, row[2:])
        assert 0 < lowest <= median <= highest
