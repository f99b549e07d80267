"""On the PYTHONPATH of a server, this makes its decoders misbehave for some names of photos."""

import os
import sys
import time
from typing import Any

if "colorizer.web.server.decoding" in sys.orig_argv:
    from colorizer.photo import decode

    honest = decode.decode

    def hostile(source: Any, name: str, max_pixels: int, time_limit: Any = None) -> Any:
        kind = os.path.basename(name)
        if "sleeps" in kind:
            time.sleep(1000)
        while "spins" in kind:
            pass
        if "crashes" in kind:
            os.abort()
        if "allocates" in kind:
            list(map(bytearray, 64 * [1 << 26]))
        if "slow" in kind:
            time.sleep(3)
        return honest(source, name, max_pixels, time_limit)

    decode.decode = hostile
