"""Tripod without AWS, for the unit tests of code that uses it (docs/testing.md). Not loaded by ``import tripod``, and in no built layer.

>>> from tripod import testing, user_tokens
>>> with testing.users(testing.user("x", "2244994945", screen_name="ada")):
...     user_tokens("x", user_id="2244994945").screen_name
'ada'
"""

import functools
import inspect
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar, cast

from requests import PreparedRequest, Session

from tripod import names, process
from tripod.fake_aws import FakeStack
from tripod.fake_provider import Answer, FakeProviders, UnansweredRequest
from tripod.process import Process

Providers: TypeAlias = Mapping[str, "Mapping[str, Any] | str | None"] | Iterable[str]

__all__ = ["Answer", "FakeTripod", "FakeUser", "Providers", "UnansweredRequest", "user", "users"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, kw_only=True)
class FakeUser:
    """A user who has signed in. ``user`` makes one, and says what the fields are."""

    provider: str
    user_id: str
    screen_name: str | None = None
    subject: str | None = None
    labels: tuple[str, ...] = ()
    expires_at: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


def user(
    provider: str,
    user_id: str | int,
    *,
    screen_name: str | None = None,
    subject: str | None = None,
    labels: Iterable[str] = (),
    expires_at: int | None = None,
    extra: Mapping[str, str] | None = None,
) -> FakeUser:
    """Return a user for ``users`` or ``FakeTripod.sign_in``.

    Args:
        provider: the provider's name, such as ``"x"``.
        user_id: the provider's id of the user.
        screen_name: the user's name at the provider.
        subject: the app's own id of the user.
        labels: the app's own.
        expires_at: when the tokens end, in epoch seconds; where that is past, reading them raises ``TokenExpired``.
        extra: further fields of the provider's answers, where its definition keeps any.

    Raises:
        ValueError: no provider has such a name, or no user such an id.
        TypeError: the user id is neither text nor an integer, the subject no text, or the labels no list of strings.
    """
    text = names.user_id_text(user_id)
    if not isinstance(subject, str | None):
        raise TypeError(f"a subject is a string, not {type(subject).__name__}")
    given = tuple(labels)
    if isinstance(labels, str) or not all(isinstance(one, str) for one in given):
        raise TypeError("labels are a list of strings")
    if not names.is_provider(provider):
        raise ValueError(f"{provider!r} is no provider's name: 1 to 32 lower-case letters, digits and hyphens")
    if not text:
        raise ValueError("a user's id is not empty")
    return FakeUser(
        provider=provider,
        user_id=text,
        screen_name=screen_name,
        subject=subject,
        labels=given,
        expires_at=expires_at,
        extra=dict(extra or {}),
    )


def users(*connected: FakeUser, providers: Providers = ("x",), answer: Answer | None = None) -> "_Users":
    """Let Tripod work in memory, with these users connected: a context manager, and a decorator of a test.

    It holds for the whole process, its threads included, until it ends; then all is as it was before. Within another one, the inner one
    holds alone. Make sessions within it: one from before still reads from AWS.

    Args:
        connected: users who have signed in, from ``user``.
        providers: names of further providers that have a consumer secret; or a mapping of each name to what ``"provider"`` in its
            consumer secret says (docs/providers.md), None for nothing.
        answer: answers the requests of the sessions; ``FakeTripod.answer``.

    Returns:
        A context manager whose ``with`` gives a ``FakeTripod``.

    Raises:
        ValueError: a provider's definition is not what belongs into a consumer secret.
    """
    return _Users(connected, _definitions(connected, providers), answer)


class FakeTripod:
    """Tripod in memory, as ``users`` gives it: what happens elsewhere in production, a test lets happen here.

    Attributes:
        answer: called with each request of a session that the provider itself has not answered: not with one whose tokens it refuses (401),
            nor with one for the app's own token. It returns a status and a content (a dict or list becomes JSON; text or bytes stay), or
            None to leave the request to others, such as the library responses.
    """

    def __init__(self, stack: FakeStack, answer: Answer | None = None) -> None:
        self._stack = stack
        self.answer = answer

    def sign_in(self, signed_in: FakeUser) -> None:
        """Let a user sign in, for the first time or anew: with new tokens, and the provider refuses those before.

        Name, end and further fields are as given now; a subject or labels of before stay where there are no others.

        Raises ValueError where the provider has no consumer secret.
        """
        if signed_in.provider not in self._stack.consumers:
            raise ValueError(f"{signed_in.provider} has no consumer secret here: name it in users(providers=…)")
        self._stack.sign_in(
            signed_in.provider,
            signed_in.user_id,
            screen_name=signed_in.screen_name,
            subject=signed_in.subject,
            labels=signed_in.labels,
            expires_at=signed_in.expires_at,
            extra=signed_in.extra,
        )

    def revoke(self, provider: str, user_id: str | int) -> None:
        """Let a user revoke the app in the provider's own settings: their tokens stay, and each request with them is answered 401.

        As X does it: the 401 says that the token is revoked (the session raises ``TokenRevoked``), but API v2's, below ``/2/``, says
        nothing (it is the caller's to read). Raises LookupError where the user is not connected. A disconnect is ``tripod.disconnect``.
        """
        self._stack.revoke(provider, names.user_id_text(user_id))

    def ticket(self, provider: str, user_id: str | int, *, challenge: str, return_to: str | None = None) -> str:
        """Return the ticket with which the browser of a user, who is connected, comes back to the app.

        Args:
            provider: the provider's name.
            user_id: the provider's id of the user.
            challenge: what the app has given to start, from ``tripod.tickets.challenge``.
            return_to: what the app has given to start.

        Raises:
            LookupError: the user is not connected: ``sign_in`` first.
            ValueError: it is no challenge, which start would refuse.
        """
        if not _CHALLENGE.fullmatch(challenge):
            raise ValueError("a challenge is what tripod.tickets.challenge returns: 43 URL-safe characters")
        return self._stack.ticket(provider, names.user_id_text(user_id), challenge=challenge, return_to=return_to)

    def fail(
        self, call: Literal["redeem", "disconnect", "check"], *, code: str = "internal", retry_after: int | None = None
    ) -> None:
        """Let the next ``redeem``, ``disconnect`` or ``check`` fail: it raises ``TripodUnavailable`` with this code of docs/errors.md."""
        self._stack.fail(call, {"code": code, "retry_after": retry_after})


@dataclass
class _Entered:
    """A fake that holds, the process that it took the place of, and what makes its own."""

    fake: FakeTripod
    make: Callable[[], Process]
    replaced: Process | None


_entered: list[_Entered] = []  # the innermost last
_lock = threading.Lock()


@dataclass(frozen=True)
class _Users:
    """What ``users`` returns. Each ``with``, and each call of what it decorates, begins anew."""

    connected: tuple[FakeUser, ...]
    definitions: Mapping[str, Mapping[str, Any]]
    answer: Answer | None
    _fakes: list[FakeTripod] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stack()  # what is wrong with a definition is raised here

    def __enter__(self) -> FakeTripod:
        stack = self._stack()
        fake = FakeTripod(stack, self.answer)
        for one in self.connected:
            fake.sign_in(one)
        make = functools.partial(_FakeProcess, stack, fake)
        with _lock:
            _entered.append(_Entered(fake, make, process.exchange(make)))
            self._fakes.append(fake)
        return fake

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with _lock:
            fake = self._fakes.pop()
            (index,) = (place for place, each in enumerate(_entered) if each.fake is fake)
            left = _entered.pop(index)
            if index < len(_entered):  # another thread's, which is entered still
                _entered[index].replaced = left.replaced
            else:
                process.exchange(_entered[-1].make if _entered else Process, left.replaced)

    def __call__(self, test: Callable[_P, _R]) -> Callable[_P, _R]:
        """Decorate a test, which may be a coroutine function. Raises TypeError for what it would end too early for."""
        if not _ends_with_its_call(test):
            raise TypeError("users() decorates functions alone: in a generator or a class, write `with testing.users(…)`")
        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def held_meanwhile(*arguments: _P.args, **named: _P.kwargs) -> Any:
                with replace(self, _fakes=[]):
                    return await test(*arguments, **named)

            return cast("Callable[_P, _R]", held_meanwhile)

        @functools.wraps(test)
        def held(*arguments: _P.args, **named: _P.kwargs) -> _R:
            with replace(self, _fakes=[]):
                return test(*arguments, **named)

        return held

    def _stack(self) -> FakeStack:
        return FakeStack(os.environ.get("TRIPOD_PREFIX") or "tripod", self.definitions)


class _FakeProcess(Process):
    """A process whose clients answer from memory, and whose sessions send nothing to other machines."""

    def __init__(self, stack: FakeStack, fake: FakeTripod) -> None:
        super().__init__()
        self.loopback = True
        self._stack = stack
        self._fake = fake

    def client(self, service: str, *, quick: bool = False) -> Any:  # noqa: ARG002  # memory is quick
        return self._stack.client(service)

    def mount(self, session: Session, *, limit: float | None = None) -> None:  # noqa: ARG002  # memory is quick
        for scheme in ("https://", "http://"):
            session.mount(scheme, FakeProviders(self._stack, self._answer))

    def _answer(self, request: PreparedRequest) -> tuple[int, Any] | None:
        return None if self._fake.answer is None else self._fake.answer(request)


def _ends_with_its_call(test: object) -> bool:
    """Return False for a class or a generator function, which is used when its call is over."""
    return inspect.isroutine(test) and not inspect.isgeneratorfunction(test) and not inspect.isasyncgenfunction(test)


def _definitions(connected: Iterable[FakeUser], providers: Providers) -> dict[str, dict[str, Any]]:
    """Return the consumer secrets' contents."""
    if isinstance(providers, str):
        providers = (providers,)
    given = dict(providers) if isinstance(providers, Mapping) else dict.fromkeys(providers)
    return {
        name: {
            "consumer_key": f"consumer-key-of-{name}",
            "consumer_secret": f"consumer-secret-of-{name}",
            **({"provider": given[name]} if given.get(name) is not None else {}),
        }
        for name in {one.provider: None for one in connected} | dict.fromkeys(given)
    }
