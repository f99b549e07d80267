"""Train a generator: `python -m train.fit --data FOLDER --output RUN`; see `--help`.

The same command runs on several devices or machines under `accelerate launch`.
"""

import json
import os
import sys
from dataclasses import asdict, replace

from train.run.folder import Interrupted
from train.run.loop import find_data, fit, resolve
from train.settings.config import Phase, TrainConfig
from train.settings.flags import parse_config


def main() -> int:
    """Run the command line; returns the exit code, 128 plus the signal for a stopped run."""
    config, dry_run = parse_config()
    try:
        if dry_run:
            print(describe(config))
            return 0
        checkpoint = fit(config)
        if int(os.environ.get("RANK", 0)) == 0:  # set by the launcher of several processes
            print(checkpoint)
    except Interrupted as error:
        print(f"train.fit: {error}", file=sys.stderr)
        return 128 + error.signal
    except (ValueError, OSError) as error:
        print(f"train.fit: {error}", file=sys.stderr)
        return 1
    return 0


def describe(config: TrainConfig) -> str:
    """The resolved settings and the photos that would be used, as JSON."""
    sources, validation = find_data(replace(config, cache=""))  # a dry run writes nothing
    config = resolve(config, sources)
    trained = config.discriminator_steps + config.adversarial_steps
    found = {
        "train": {source.name: len(source) for source in sources},
        "validation": {source.name: len(source) for source in validation},
        "steps": {
            Phase.RECONSTRUCTION: config.steps - trained,
            Phase.DISCRIMINATOR: config.discriminator_steps,
            Phase.ADVERSARIAL: config.adversarial_steps,
        },
    }
    return json.dumps({"settings": asdict(config), "found": found}, indent=1)


if __name__ == "__main__":
    sys.exit(main())
