"""Who uploaded which file, so that no user gets at the photos of another."""

import json
import os
from collections import defaultdict

from starlette.types import Message, Send


class UploadOwners:
    """The users who sent each upload.

    Gradio names an upload by a hash of its content, so several users share the path of a photo that
    all of them sent.
    """

    def __init__(self) -> None:
        self._owners: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, user: str, paths: list[str]) -> None:
        """Remember that a user sent files, and forget files that were deleted."""
        self._owners = defaultdict(
            set, {path: users for path, users in self._owners.items() if os.path.exists(path)}
        )
        for path in paths:
            self._owners[os.path.realpath(path)].add(user)

    def may_use(self, user: str | None, path: str | os.PathLike[str]) -> bool:
        """Whether a user sent this file, or nobody did, as with examples and results."""
        owners = self._owners.get(os.path.realpath(path))
        return owners is None or user in owners

    def recorded(self, send: Send, user: str) -> Send:
        """Wrap the `send` of an upload, so that the paths in its answer belong to the user."""
        body = b""

        async def record(message: Message) -> None:
            nonlocal body
            body += message.get("body", b"")
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self.add(user, parse_paths(body))
            await send(message)

        return record


def parse_paths(body: bytes) -> list[str]:
    """The paths in the answer to an upload; none in the answer to a refused one."""
    try:
        answer = json.loads(body)
    except ValueError:
        return []
    return [path for path in answer if isinstance(path, str)] if isinstance(answer, list) else []


upload_owners = UploadOwners()
