"""``python -m tests.model [EXAMPLES] [SEED]``: the machine's long form, and what it did."""

import secrets
import sys
import time

from hypothesis import HealthCheck, settings

from tests.model.cast import ModelFigures
from tests.model.exploration import explore
from tests.model.world import World

EXAMPLES = 500
ENOUGH = 100  # examples, to come to every kind of end
STEPS = 40  # at most, of one example


def main(examples: int = EXAMPLES, seed: int | None = None) -> int:
    """Run so many examples; raises what one of them found. Returns 1 where so many should have come to more."""
    seed = secrets.randbits(32) if seed is None else seed
    print(f"{examples} examples, seed {seed}", flush=True)
    thorough = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    figures, began = ModelFigures(), time.monotonic()
    try:
        with World() as world:
            explore(world, thorough, figures, seed=seed)
    finally:
        print(f"{figures.examples} examples, {figures.rules.total()} steps, {figures.exchanges} exchanges made and answered")
        for name in ("stores", "rules", "interruptions", "outcomes", "answers", "changes"):
            counted = getattr(figures, name)
            print(f"{name}: " + ", ".join(f"{what} {number}" for what, number in counted.most_common()))
        print(f"{time.monotonic() - began:.0f} s")
    missing = figures.missing() if examples >= ENOUGH else []
    for each in missing:
        print(f"it never came to {each}")
    return int(not figures.exchanges or bool(missing))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
