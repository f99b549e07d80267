"""`colorizer checkpoints list|show|download|verify`."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    DISCRIMINATOR_FILES,
    WEIGHTS_FILE,
    CheckpointError,
    download_checkpoint,
)
from colorizer.checkpoints.describe import (
    CARD_FILE,
    METRIC_GROUPS,
    REPORT_FILE,
    CheckpointInfo,
    describe_checkpoint,
    describe_folder,
)
from colorizer.checkpoints.verify import verify_checkpoint
from colorizer.files import atomic_write

NAME_HELP = "folder, user/repo or user/repo@revision (default: the bundled one)"
UNUSABLE_REASONS = ("broken", "foreign", "newer", "pickle")
EXTRA_FILES = (*DISCRIMINATOR_FILES, REPORT_FILE, CARD_FILE)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command, its own commands and their options."""
    command = commands.add_parser("checkpoints", help="list, show, download and verify checkpoints")
    actions = command.add_subparsers(required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="the bundled checkpoint and those in the Hub's cache")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=run_list)

    show = actions.add_parser("show", help="what a checkpoint says of itself")
    show.add_argument("name", nargs="?", metavar="NAME", help=NAME_HELP)
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(run=run_show)

    download = actions.add_parser("download", help="get a checkpoint of the Hub")
    download.add_argument("name", metavar="NAME", help="user/repo or user/repo@revision")
    download.add_argument(
        "--to", type=Path, metavar="DIR", help="copy it to this folder, instead of only the cache"
    )
    download.add_argument("--overwrite", action="store_true", help="replace what --to DIR holds")
    download.set_defaults(run=run_download)

    verify = actions.add_parser(
        "verify", help="check a checkpoint; exit code 0: valid, 1: invalid, 2: not found"
    )
    verify.add_argument("name", nargs="?", metavar="NAME", help=NAME_HELP)
    verify.set_defaults(run=run_verify)


def run_list(options: argparse.Namespace) -> int:
    """List; returns the exit code."""
    found = [describe_checkpoint(), *cached_checkpoints()]
    if options.json:
        keys = ("source", "architecture", "encoder", "working_size", "size", "sha256", "license")
        print(json.dumps([{key: getattr(info, key) for key in keys} for info in found], indent=1))
        return 0
    rows = [(info.source, megabytes(info.size), network(info)) for info in found]
    width = max(len(source) for source, *_ in rows)
    for source, size, built in rows:
        print(f"{source:{width}}  {size:>10}  {built}")
    return 0


def run_show(options: argparse.Namespace) -> int:
    """Show; returns the exit code: 0 shown, 1 unusable, 2 not found."""
    try:
        info = describe_checkpoint(options.name)
    except CheckpointError as error:
        return failed(error)
    if options.json:
        print(json.dumps(asdict(info), indent=1))
    else:
        print("\n".join(lines(info)))
    return 0


def run_download(options: argparse.Namespace) -> int:
    """Download; returns the exit code: 0 done, 1 unusable, 2 not found."""
    from colorizer.checkpoints.hub import find_snapshot  # slow, and only this command needs it

    try:
        snapshot = find_snapshot(options.name)
        folder = download_checkpoint(snapshot)
        extra = [file for file in EXTRA_FILES if snapshot.get_optional(file)]
        verify_checkpoint(snapshot.source)
        if options.to:
            copy_files(folder, options.to, [WEIGHTS_FILE, *extra, CONFIG_FILE], options.overwrite)
    except CheckpointError as error:
        return failed(error)
    except OSError as error:
        print(f"colorizer: {options.to} can't be written: {error.strerror}.", file=sys.stderr)
        return 1
    if snapshot.notice:
        print(f"colorizer: {snapshot.notice}", file=sys.stderr)
    print(f"{snapshot.source} is in {options.to or folder}")
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Verify; returns the exit code: 0 valid, 1 invalid, 2 not found."""
    try:
        for line in verify_checkpoint(options.name):
            print(line)
    except CheckpointError as error:
        return failed(error)
    return 0


def failed(error: CheckpointError) -> int:
    """Print the reason; returns the exit code."""
    print(f"colorizer: {error}", file=sys.stderr)
    return 1 if error.reason in UNUSABLE_REASONS else 2


def cached_checkpoints() -> Iterator[CheckpointInfo]:
    """The checkpoints in the Hub's cache that this version can read, in order."""
    from huggingface_hub import constants, scan_cache_dir  # slow, and only this command needs it
    from huggingface_hub.errors import CacheNotFound

    try:
        repos = scan_cache_dir(constants.HF_HUB_CACHE).repos
    except (CacheNotFound, ValueError):
        return
    for repo in sorted(repos, key=lambda repo: repo.repo_id):
        for revision in sorted(repo.revisions, key=lambda revision: revision.commit_hash):
            files = {file.file_name: file.size_on_disk for file in revision.files}
            if repo.repo_type != "model" or not {CONFIG_FILE, WEIGHTS_FILE} <= files.keys():
                continue
            source = f"{repo.repo_id}@{revision.commit_hash}"
            try:
                yield describe_folder(revision.snapshot_path, repo.repo_id, source)
            except CheckpointError:  # of another program
                continue


def copy_files(folder: Path, to: Path, files: list[str], overwrite: bool) -> None:
    """Copy files of a folder to another, each atomically.

    Optional files of an earlier checkpoint there are removed.

    Raises:
        FileExistsError: a file exists, and `overwrite` is not set.
        OSError: a file can't be written.
    """
    to.mkdir(parents=True, exist_ok=True)
    for file in files:
        if (to / file).exists() and not overwrite:
            raise FileExistsError(17, f"it holds a {file} already; --overwrite replaces it")
    for file in files:
        with atomic_write(to / file) as part:
            shutil.copyfile(folder / file, part)
    for file in set(EXTRA_FILES) - set(files):
        (to / file).unlink(missing_ok=True)


def lines(info: CheckpointInfo) -> Iterator[str]:
    """The description of a checkpoint, as lines for people."""
    facts: dict[str, Any] = {
        "checkpoint": info.source,
        "license": info.license or "none stated; ask its author before you use it",
        "network": network(info),
        "working size": f"{info.working_size} pixels, short side",
        "size": megabytes(info.size),
        "sha256": info.sha256 or "known once it is downloaded",
    }
    facts |= {name: value for name, value in info.settings.items() if name != "bins"}
    width = max(map(len, facts)) + 1
    yield from (f"{name + ':':{width}} {value}" for name, value in facts.items())
    output = info.metrics.get("output", {})
    if not output:
        yield "It comes without measurements."
        return
    parts = [part for part in METRIC_GROUPS if part in info.metrics]
    yield f"Measured on {info.photos} photos:"
    yield f"{'':{width}}" + "".join(f"{part:>10}" for part in parts)
    for name in output:
        cells = (info.metrics[part].get(name) for part in parts)
        shown = "".join(f"{'' if cell is None else format(cell, '#.3g'):>10}" for cell in cells)
        yield f"{name:{width}}{shown}"


def network(info: CheckpointInfo) -> str:
    """The architecture in a word or two."""
    return f"{info.architecture}, {info.encoder}" if info.encoder else info.architecture


def megabytes(size: int) -> str:
    """Format a number of bytes in MB."""
    return f"{size / 1e6:.1f} MB"
