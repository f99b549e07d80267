"""The checkpoints that visitors may use: the server's default, and public ones from the Hub."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import torch

from colorizer import CheckpointError, Colorizer
from colorizer.checkpoints.cache import public_cache, trim_cache
from colorizer.checkpoints.checkpoint import Checkpoint, load_checkpoint
from colorizer.checkpoints.describe import CheckpointInfo, describe_checkpoint
from colorizer.inference.engines import torch_engine
from colorizer.web.server.settings import settings
from colorizer.web.server.zerogpu import lend_gpu

MAX_LOADED = 2  # models in memory besides the default
MAX_DESCRIPTIONS = 32  # cached descriptions of commits
MAX_WEIGHTS = 1_000_000_000  # bytes; bounds the disk and memory that a visitor's model takes
MAX_CACHE = 3_000_000_000  # bytes of all models that visitors chose; the least recently used go


@dataclass(frozen=True)
class Notice:
    """Why the default is not the requested model, or perhaps not its newest version.

    Attributes:
        state: "coming" while it is downloaded, or "failed".
        name: the requested model.
        used: the cached "user/repo@commit" in use; None is the bundled model.
    """

    state: str
    name: str
    used: str | None


class Models:
    """The checkpoints by name; "" is the default. One object serves all visitors.

    Args:
        default: a folder or a name on the Hub, as for `Colorizer.load`; None takes the bundled one.
        device: as for `Colorizer.load`.

    Attributes:
        notice: what the page tells visitors about the default; None if there is nothing to tell.

    Raises:
        CheckpointError: the default can't be used.
        ValueError: there is no such device.
    """

    def __init__(self, default: str | None = None, device: str = "auto") -> None:
        self.notice: Notice | None = None
        loaded = Colorizer.load(default, device)
        engine = lend_gpu(loaded.engine)
        self._default = Colorizer(loaded.checkpoint, engine)
        source = default and self._default.checkpoint.source
        self._default_info = describe_checkpoint(source, fresh=False)
        self._others: OrderedDict[str, Colorizer] = OrderedDict()
        self._lock = Lock()  # guards `_others`
        self._loading = Lock()  # one load at a time, to bound the memory
        self._describe_commit = lru_cache(MAX_DESCRIPTIONS)(describe_checkpoint)
        # A lent GPU's processes do not know the models that are loaded later.
        self._device = engine.device if engine is loaded.engine else torch.device("cpu")

    def get(self, name: str) -> Colorizer:
        """Return the model of that name; download and load it if necessary.

        Args:
            name: "" for the default, otherwise the `source` of a description.

        Raises:
            CheckpointError: it can't be used.
        """
        if not name:
            return self._default
        if found := self._loaded(name):
            return found
        with self._loading:
            if found := self._loaded(name):  # loaded for another visitor meanwhile
                return found
            colorizer = self._colorizer(self._load(name))
            with self._lock:
                self._others[name] = colorizer
                while len(self._others) > MAX_LOADED:
                    self._others.popitem(last=False)
            return colorizer

    def describe(self, name: str) -> CheckpointInfo:
        """Describe a model without loading it; takes a few seconds at most.

        Args:
            name: "" for the default, "user/repo" or "user/repo@revision" on the Hub.

        Raises:
            CheckpointError: there is no such public repository, or it can't be used; `reason` is
                "large" if its weights are too large. A kiosk offers only the default.
        """
        if not name:
            return self._default_info
        if settings().kiosk:
            raise CheckpointError("A kiosk offers only its own model; leave the name out.")
        pinned = re.search("@[0-9a-f]{40}$", name)
        info = (self._describe_commit if pinned else describe_checkpoint)(name, public=True)
        trim_cache(public_cache(), MAX_CACHE)  # descriptions take space, too
        if info.size > MAX_WEIGHTS:
            raise CheckpointError(
                f"The weights of {name} have {info.size / 1e6:,.0f} MB; "
                f"use a model of at most {MAX_WEIGHTS / 1e6:,.0f} MB.",
                "large",
            )
        return info

    def replace_default(self, source: str, notice: Notice | None) -> None:
        """Change the default.

        Args:
            source: as for `Colorizer.load`.
            notice: as the attribute.

        Raises:
            CheckpointError: the checkpoint can't be used; the default stays the same.
        """
        checkpoint = load_checkpoint(source)
        info = describe_checkpoint(source, fresh=False)
        self._default = self._colorizer(checkpoint)
        self._default_info, self.notice = info, notice

    def _loaded(self, name: str) -> Colorizer | None:
        with self._lock:
            if name in self._others:
                self._others.move_to_end(name)
            return self._others.get(name)

    def _colorizer(self, checkpoint: Checkpoint) -> Colorizer:
        return Colorizer(checkpoint, torch_engine(checkpoint.generator, self._device, "auto"))

    def _load(self, name: str) -> Checkpoint:
        info = self.describe(name)
        trim_cache(public_cache(), MAX_CACHE - info.size)  # room for what is downloaded now
        return load_checkpoint(info.source, public=True)
