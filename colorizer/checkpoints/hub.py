"""Checkpoints on the Hugging Face Hub, and in its cache.

One request, with a short timeout, asks the Hub about the repository. The answer names the commit,
so that all files come from the same one, with their sizes and hashes. A commit that is in the cache
needs no request. A branch or a tag is looked up each time; only if the Hub doesn't answer is the
cached copy used, and `Snapshot.notice` says that it may be outdated. With COLORIZER_HUB=off the Hub
is never asked.
"""

import os
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

from colorizer.checkpoints.cache import mark_used, public_cache
from colorizer.checkpoints.files import (
    CONFIG_FILE,
    MAX_CONFIG_BYTES,
    WEIGHTS_FILE,
    incomplete_error,
)
from colorizer.errors import CheckpointError

HUB_SECONDS = 5.0  # timeout of the request about a repository
HUB_VARIABLE = "COLORIZER_HUB"  # "off" forbids every request to the Hub
SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class HubFile:
    """What the Hub knows about a file."""

    size: int  # bytes
    sha256: str | None  # of large files


@dataclass(frozen=True)
class Snapshot:
    """A repository at one commit.

    Attributes:
        repo: "user/repo".
        commit: 40 hexadecimal digits.
        revision: the requested branch, tag or commit; empty for the main branch.
        files: by name; empty if the Hub was not asked.
        notice: a sentence if the Hub didn't answer, so that the commit may be outdated.
        token: for the Hub's client: None uses this machine's login, False uses none.
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

    @property
    def cache_folder(self) -> Path:
        """The cache that holds it; models that strangers choose have one of their own."""
        return public_cache() if self.token is False else Path(constants.HF_HUB_CACHE)

    def get(self, file: str) -> Path:
        """Return a file in the cache, downloading it if needed.

        Raises:
            CheckpointError: the download fails, or the file isn't what the Hub lists.
        """
        with hub_errors(self.source):
            path = Path(
                hf_hub_download(
                    self.repo,
                    file,
                    revision=self.commit,
                    cache_dir=self.cache_folder,
                    token=self.token,
                    local_files_only=not hub_allowed(),
                )
            )
        known = self.files.get(file)
        if known and known.size != (size := path.stat().st_size):
            raise CheckpointError(
                f"{file} of {self.source} differs from the Hub's: it has {size} bytes, "
                f"not {known.size}; delete {path.parents[2]} and try again."
            )
        return path

    def get_optional(self, file: str) -> Path | None:
        """Like `get`, but None if the repository has no such file, which the cache remembers.

        Raises:
            CheckpointError: the download fails, or the file isn't what the Hub lists.
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
        """The expected SHA-256 of a large file; None if unknown.

        It comes from the Hub, else from the file's name in the cache, its hash at the download.
        """
        if file in self.files:
            return self.files[file].sha256
        path = self._cached(file)
        if not isinstance(path, str) or not Path(path).is_symlink():
            return None
        name = Path(path).readlink().name
        return name if SHA256.fullmatch(name) else None

    def save_revision(self) -> None:
        """Record in the cache that the snapshot is complete, and used now."""
        mark_used(self.get(CONFIG_FILE).parent)
        if self.files and self.revision != self.commit:
            folder = self.get(CONFIG_FILE).parents[2]
            reference = folder / "refs" / (self.revision or constants.DEFAULT_REVISION)
            with suppress(OSError):  # the cache may be read-only
                reference.parent.mkdir(parents=True, exist_ok=True)
                reference.write_text(self.commit)

    def _cached(self, file: str) -> object:
        return try_to_load_from_cache(
            self.repo, file, cache_dir=self.cache_folder, revision=self.commit
        )


def find_snapshot(name: str, public: bool = False, fresh: bool = False) -> Snapshot:
    """Find a checkpoint on the Hub or in its cache, without downloading it.

    Args:
        name: "user/repo" or "user/repo@revision".
        public: whether to accept only public repositories: the Hub is asked without this machine's
            login, and must answer.
        fresh: whether to ask the Hub even about a commit in the cache.

    Raises:
        CheckpointError: the repository can't be found, or isn't a checkpoint.
    """
    repo, _, revision = name.partition("@")
    commit = None if public else cached_commit(name)
    if commit and commit == revision and not fresh:
        return Snapshot(repo, commit, revision)
    token = False if public else None
    try:
        info = _ask(repo, revision, token)
    except (HFValidationError, HTTPError, OSError) as error:
        cause = outage_cause(error)
        if not cause or not commit:
            raise hub_error(name, error) from error
        notice = f"Using {repo}@{commit} from the cache, which may be outdated: {cause}."
        return Snapshot(repo, commit, revision, notice=notice)
    files = {
        file.rfilename: HubFile(file.size or 0, file.lfs.sha256 if file.lfs else None)
        for file in info.siblings or ()
    }
    if not {CONFIG_FILE, WEIGHTS_FILE} <= files.keys():
        raise incomplete_error(name, files)
    if files[CONFIG_FILE].size > MAX_CONFIG_BYTES:
        raise CheckpointError(f"The {CONFIG_FILE} of {name} is too large; use another checkpoint.")
    return Snapshot(repo, str(info.sha), revision, files, token=token)


def cached_commit(name: str) -> str | None:
    """The commit of a checkpoint that is complete in the cache.

    A branch or tag means the commit that it named at the last download.
    """
    repo, _, revision = name.partition("@")
    try:
        paths = [
            try_to_load_from_cache(repo, file, revision=revision or None)
            for file in (CONFIG_FILE, WEIGHTS_FILE)
        ]
    except HFValidationError as error:
        raise hub_error(name, error) from None
    found = [Path(path).parent.name for path in paths if isinstance(path, str)]
    return found[0] if len(found) == len(paths) else None


def hub_allowed() -> bool:
    """Whether the environment allows requests to the Hub.

    Raises:
        CheckpointError: the variable has another value than on or off.
    """
    value = os.environ.get(HUB_VARIABLE) or "on"
    if value not in ("on", "off"):
        raise CheckpointError(f"{HUB_VARIABLE} is {value!r}; set it to on or off.", "unreachable")
    return value == "on"


def _ask(repo: str, revision: str, token: bool | None) -> ModelInfo:
    if not hub_allowed():
        raise OfflineModeIsEnabled(f"{HUB_VARIABLE} is off")
    try:
        return HfApi().model_info(
            repo, revision=revision or None, timeout=HUB_SECONDS, files_metadata=True, token=token
        )
    except (HFValidationError, OSError):
        raise
    except (KeyError, TypeError, ValueError) as error:  # such as a login page of the network
        raise ConnectionError("its answer can't be read") from error


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """Turn errors of the Hub's client about "user/repo@revision" into `CheckpointError`."""
    try:
        yield
    except (HFValidationError, HTTPError, OSError, RuntimeError) as error:  # the last: of hf_xet
        raise hub_error(name, error) from error


def hub_error(name: str, error: Exception) -> CheckpointError:
    """The error for a repository, "user/repo@revision", that can't be used."""
    error = _root_cause(error)
    if isinstance(error, HFValidationError):
        return CheckpointError(f"{name} is not a valid Hub name: {error}", "name")
    if cause := outage_cause(error):
        busy = isinstance(error, HfHubHTTPError) and error.response.status_code == 429
        advice = "wait a few minutes, or log in with `hf auth login`" if busy else "try again later"
        return CheckpointError(
            f"There is no folder {name}, {cause} and {name} is not complete in the cache; "
            f"check the spelling, or {advice}.",
            "busy" if busy else "unreachable",
        )
    if isinstance(error, HfHubHTTPError):
        return _response_error(name, error)
    if isinstance(error, OSError) and error.errno:
        return CheckpointError(
            f"{name} can't be stored in the cache {constants.HF_HUB_CACHE} ({error.strerror}); "
            "free some space, or set HF_HOME to another folder.",
            "download",
        )
    return CheckpointError(
        f"{name} could not be downloaded ({_one_line(error)}); try again later.", "download"
    )


def outage_cause(error: Exception) -> str | None:
    """Why the Hub doesn't answer; None if it does."""
    error = _root_cause(error)
    if isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError) and not hub_allowed():
        return f"{HUB_VARIABLE} is off"
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
    if status == 429:
        return "the Hub limits the rate of requests (429)"
    if status and status >= 500:
        return f"the Hub has a problem ({status})"
    if status:
        return None
    if isinstance(error, HTTPError | ConnectionError | FileMetadataError | LocalEntryNotFoundError):
        return f"the Hub can't be reached ({_one_line(error)})"
    return None


def _response_error(name: str, error: HfHubHTTPError) -> CheckpointError:
    """The error for a repository that the Hub refuses."""
    repo, _, revision = name.partition("@")
    page = f"{constants.ENDPOINT}/{repo}"
    status = error.response.status_code
    if isinstance(error, RevisionNotFoundError):
        sentence = f"{repo} has no revision {revision} on the Hub; check the spelling."
        return CheckpointError(sentence, "revision")
    if isinstance(error, RemoteEntryNotFoundError):
        return incomplete_error(name, ())
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
        f"The Hub refuses {name} ({_one_line(error)}); check HF_ENDPOINT, or try again later.",
        "denied",
    )


def _root_cause(error: Exception) -> Exception:
    """The error that made the client look in the cache, where it found nothing."""
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        return error.__cause__
    return error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
