"""Checkpoints on the Hugging Face Hub: what a repository holds, and its files by way of the cache.

One question about the repository comes first, with a short patience. It tells the commit, so that
all files are of the same one, and what they must be. A commit in the cache is taken without a
question; what a branch or a tag means is asked each time, and only if the Hub can't tell, the copy
in the cache is taken, which `Snapshot.notice` says.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub import (
    _CACHED_NO_EXIST,
    HfApi,
    constants,
    hf_hub_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    DisabledRepoError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # that of httpx or httpx2, as the version has it
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo

from colorizer.checkpoints.files import (
    CONFIG_FILE,
    MAX_CONFIG,
    WEIGHTS_FILE,
    missing_files,
)
from colorizer.errors import CheckpointError

HUB_SECONDS = 5.0  # to wait for an answer about a repository
HUB_NAME = re.compile(  # user/repo or user/repo@revision; the latter is a path in the cache
    r"[\w.-]+/[\w.-]+(@(?!.*\.\.)[\w.-]+(/[\w.-]+)*)?", re.ASCII
)
COMMIT = re.compile("[0-9a-f]{40}")
SHA256 = re.compile("[0-9a-f]{64}")
LATER = "try again later"


@dataclass(frozen=True)
class HubFile:
    """What the Hub says of a file."""

    size: int  # bytes
    sha256: str | None  # of a large one


@dataclass(frozen=True)
class Snapshot:
    """A repository at one commit.

    Attributes:
        repo: "user/repo".
        commit: 40 hexadecimal digits.
        revision: the branch, the tag or the commit that was asked for; empty for the main branch.
        files: by name; empty if the Hub was not asked.
        notice: a sentence, if the Hub couldn't be asked whether there is a newer commit.
        token: as the client takes it: None is the login of this machine, False none.
    """

    repo: str
    commit: str
    revision: str = ""
    files: Mapping[str, HubFile] = field(default_factory=dict)
    notice: str = ""
    token: bool | None = None

    @property
    def source(self) -> str:
        """The repository at its commit: "user/repo@commit"."""
        return f"{self.repo}@{self.commit}"

    def get(self, file: str) -> Path:
        """A file in the cache, downloaded if need be.

        Raises:
            CheckpointError: it can't be had, or isn't what the Hub says.
        """
        with hub_errors(self.source):
            path = Path(hf_hub_download(self.repo, file, revision=self.commit, token=self.token))
        known = self.files.get(file)
        if known and known.size != (size := path.stat().st_size):
            raise CheckpointError(
                f"{file} of {self.source} is not what the Hub says: it has {size} bytes, "
                f"not {known.size}; delete {path.parents[2]} and try again."
            )
        return path

    def get_if_there(self, file: str) -> Path | None:
        """The same of a file that the repository may lack; the cache remembers what it lacks.

        Raises:
            CheckpointError: as for `get`, but that it isn't there.
        """
        if self._cached(file) is _CACHED_NO_EXIST:
            return None
        try:
            return self.get(file)
        except CheckpointError as error:
            if error.reason == "foreign":
                return None
            raise

    def sha256(self, file: str) -> str | None:
        """What a large file in the cache must have: the Hub's word, else the name that the cache
        gave it at its download.
        """
        if file in self.files:
            return self.files[file].sha256
        path = self._cached(file)
        if not isinstance(path, str) or not Path(path).is_symlink():
            return None
        name = Path(path).readlink().name
        return name if SHA256.fullmatch(name) else None

    def remember(self) -> None:
        """Note in the cache what the revision means, now that the files of its commit are there."""
        if self.files and self.revision != self.commit:
            folder = self.get(CONFIG_FILE).parents[2]
            note = folder / "refs" / (self.revision or constants.DEFAULT_REVISION)
            with suppress(OSError):  # a cache that only may be read
                note.parent.mkdir(parents=True, exist_ok=True)
                note.write_text(self.commit)

    def _cached(self, file: str) -> object:
        return try_to_load_from_cache(self.repo, file, revision=self.commit)


def find_snapshot(name: str, public: bool = False, fresh: bool = False) -> Snapshot:
    """Find a checkpoint on the Hub or in its cache; nothing is downloaded yet.

    Args:
        name: "user/repo" or "user/repo@revision".
        public: whether to take only what anybody may see: without the login of this machine, and
            only if the Hub itself says so.
        fresh: whether to ask the Hub about a commit that is in the cache, too.

    Raises:
        CheckpointError: it can't be found, or it is no checkpoint.
    """
    repo, _, revision = name.partition("@")
    commit = None if public else cached_commit(name)
    if commit and commit == revision and not fresh:
        return Snapshot(repo, commit, revision)
    token = False if public else None
    try:
        info = _ask(repo, revision, token)
    except (HFValidationError, HTTPError, OSError) as error:
        cause = outage(error)
        if not cause or not commit:
            raise refusal(name, error) from error
        notice = f"{repo}@{commit} is taken from the cache and may be outdated, for {cause}."
        return Snapshot(repo, commit, revision, notice=notice)
    files = {
        file.rfilename: HubFile(file.size or 0, file.lfs.sha256 if file.lfs else None)
        for file in info.siblings or ()
    }
    if not {CONFIG_FILE, WEIGHTS_FILE} <= files.keys():
        raise missing_files(name, files)
    if files[CONFIG_FILE].size > MAX_CONFIG:
        raise CheckpointError(f"The {CONFIG_FILE} of {name} is too large; get it again.")
    return Snapshot(repo, str(info.sha), revision, files, token=token)


def cached_commit(name: str) -> str | None:
    """The commit of a checkpoint that is whole in the cache, of a branch or tag as the Hub last
    said.
    """
    repo, _, revision = name.partition("@")
    try:
        paths = [
            try_to_load_from_cache(repo, file, revision=revision or None)
            for file in (CONFIG_FILE, WEIGHTS_FILE)
        ]
    except HFValidationError as error:
        raise refusal(name, error) from None
    found = [Path(path).parent.name for path in paths if isinstance(path, str)]
    return found[0] if len(found) == len(paths) else None


def _ask(repo: str, revision: str, token: bool | None) -> ModelInfo:
    try:
        return HfApi().model_info(
            repo, revision=revision or None, timeout=HUB_SECONDS, files_metadata=True, token=token
        )
    except (HFValidationError, OSError):
        raise
    except (KeyError, TypeError, ValueError) as error:  # for example a login page of the network
        raise ConnectionError("its answer can't be read") from error


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """Turn what the Hub's client raises about "user/repo@revision" into one sentence."""
    try:
        yield
    except (HFValidationError, HTTPError, OSError, RuntimeError) as error:  # the last: of hf_xet
        raise refusal(name, error) from error


def refusal(name: str, error: Exception) -> CheckpointError:
    """Why a repository, "user/repo@revision", can't be had, and what to do."""
    error = _first(error)
    if isinstance(error, HFValidationError):
        return CheckpointError(f"{name} is not a valid Hub name: {error}", "name")
    if cause := outage(error):
        busy = isinstance(error, HfHubHTTPError) and error.response.status_code == 429
        advice = "wait a few minutes, or log in with `hf auth login`" if busy else LATER
        return CheckpointError(
            f"There is no folder {name}, {cause} and not all of {name} is in the cache; "
            f"check the spelling, or {advice}.",
            "busy" if busy else "unreachable",
        )
    if isinstance(error, HfHubHTTPError):
        return _refused(name, error)
    if isinstance(error, OSError) and error.errno:
        return CheckpointError(
            f"{name} can't be kept in the cache, {constants.HF_HUB_CACHE} ({error.strerror}); "
            "make room or set HF_HOME to another folder.",
            "download",
        )
    return CheckpointError(f"{name} could not be downloaded ({_line(error)}); {LATER}.", "download")


def outage(error: Exception) -> str | None:
    """Why the Hub doesn't tell what it has; None if it did."""
    error = _first(error)
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if status == 429:
        return "the Hub takes no more requests for now (429)"
    if status and status >= 500:
        return f"the Hub has trouble of its own ({status})"
    if status:
        return None
    if isinstance(error, HTTPError | ConnectionError | FileMetadataError | LocalEntryNotFoundError):
        return f"the Hub can't be reached ({_line(error)})"
    return None


def _refused(name: str, error: HfHubHTTPError) -> CheckpointError:
    """Why the Hub, which could be reached, doesn't give it."""
    repo, _, revision = name.partition("@")
    page = f"{constants.ENDPOINT}/{repo}"
    status = error.response.status_code
    if isinstance(error, RevisionNotFoundError):
        sentence = f"{repo} has no revision {revision} on the Hub; check the spelling."
        return CheckpointError(sentence, "revision")
    if isinstance(error, RemoteEntryNotFoundError):
        return missing_files(name, ())
    if isinstance(error, GatedRepoError):
        login = "log in with `hf auth login`" if status == 401 else "wait until it is granted"
        sentence = f"{repo} is gated; ask for access on {page}, then {login}."
        return CheckpointError(sentence, "gated")
    if isinstance(error, RepositoryNotFoundError):
        return CheckpointError(
            f"There is no folder {name}, and {repo} is not on the Hub or private; "
            "check the spelling, or log in with `hf auth login`.",
            "absent",
        )
    if isinstance(error, DisabledRepoError):
        return CheckpointError(f"The Hub has disabled {repo}; use another checkpoint.", "denied")
    if status in (401, 403):
        what = "doesn't know your token" if status == 401 else f"doesn't let you read {repo}"
        return CheckpointError(
            f"The Hub {what} ({status}); log in again with `hf auth login`, or correct HF_TOKEN.",
            "denied",
        )
    return CheckpointError(
        f"The Hub refuses {name} ({_line(error)}); check HF_ENDPOINT, or {LATER}.", "denied"
    )


def _first(error: Exception) -> Exception:
    """The error behind the client's word that it found nothing in the cache instead."""
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return error.__cause__
    return error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
