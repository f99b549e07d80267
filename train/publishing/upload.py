"""Upload a published folder to the Hugging Face Hub."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # of httpx or httpx2, depending on the version
)
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]


def publish(folder: Path, repo: str, files: Sequence[str], private: bool = False) -> str:
    """Upload the files of a checkpoint; those that the folder lacks are removed from the Hub.

    Args:
        folder: as of `make_folder`.
        repo: "user/name" on the Hub; created if it doesn't exist.
        files: names of the files that belong to a checkpoint; others on the Hub stay.
        private: whether only you may see it.

    Returns:
        The address of the repository.

    Raises:
        ValueError: the name isn't valid, the repository is public though it should be private, or
            the Hub doesn't accept the model card.
        ConnectionError: the Hub can't be reached, or refuses.
    """
    check_name(repo)
    api = HfApi()
    with _hub_errors(repo):
        url = str(api.create_repo(repo, private=private or None, exist_ok=True))
        public = private and not api.model_info(repo).private  # it was there before
    if public:
        raise ValueError(f"{repo} is public already; make it private on the Hub first.")
    with _hub_errors(repo):
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message="Upload a checkpoint",
            allow_patterns=list(files),
            delete_patterns=list(files),
        )
    return url


def check_name(repo: str) -> None:
    """Raise a ValueError unless `repo` is a valid name on the Hub."""
    if repo.count("/") != 1:
        raise ValueError(f"{repo} is not a Hub name; give one like user/name.")
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ValueError(f"{repo} is not a valid Hub name: {error}") from None


@contextmanager
def _hub_errors(repo: str) -> Iterator[None]:
    """Turn errors of the Hub's client into one sentence."""
    try:
        yield
    except HfHubHTTPError as error:
        raise ConnectionError(_refusal(error, repo)) from error
    except (HTTPError, OSError) as error:
        raise ConnectionError(
            f"The Hub can't be reached ({_one_line(error)}); check the network, then try again."
        ) from error
    except RuntimeError as error:  # a large file; the reason is the cause
        reason = _one_line(error.__cause__ or error)
        raise ConnectionError(f"The upload to {repo} broke off ({reason}); try again.") from error
    except ValueError as error:  # the card, for example an unknown license
        raise ValueError(f"The Hub doesn't accept {repo}: {_one_line(error)}") from error


def _refusal(error: HfHubHTTPError, repo: str) -> str:
    status = error.response.status_code
    if status == 401:
        return (
            "The Hub doesn't know you (401); log in with `hf auth login`, or set HF_TOKEN to a "
            "token that may write."
        )
    if status == 403:
        return (
            f"You may not write to {repo} on the Hub (403); use a token that may write, and the "
            "name of yourself or of your organization."
        )
    return f"The Hub refused {repo} ({_one_line(error)}); try again later."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
