"""A run of the machine in a world."""

from hypothesis import seed as set_seed
from hypothesis import settings as Settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.cast import ModelFigures
from tests.model.machine import Machine
from tests.model.stage import Change, unchanged
from tests.model.world import World
from tripod_flow.edges import telemetry


def explore(
    world: World, settings: Settings, figures: ModelFigures | None = None, *, seed: int | None = None, change: Change = unchanged
) -> ModelFigures:
    """Run the machine in ``world``; raises what it finds. ``seed`` makes a run that can be repeated."""
    counted = figures or ModelFigures()

    class Play(Machine):
        def __init__(self) -> None:
            super().__init__(world, counted, change)

    log = telemetry.log()
    level = log.log_level
    log.setLevel("CRITICAL")
    try:
        run_state_machine_as_test(Play if seed is None else set_seed(seed)(Play), settings=settings)
    finally:
        log.setLevel(level)
    return counted
