"""A clock that tests move."""

from dataclasses import dataclass

T0 = 1_800_000_000.0  # epoch seconds


@dataclass
class Clock:
    """Returns ``now``, in epoch seconds; sleeping moves it."""

    now: float = T0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
