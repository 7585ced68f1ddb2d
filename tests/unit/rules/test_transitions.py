"""An authorization's states: which transition is applied in which, and who may make it."""

import inspect
from dataclasses import replace
from typing import Any

import pytest

from tests.support.authorizations import (
    EVENTS,
    TOKEN,
    T,
    begun,
    claim,
    deny,
    of,
)
from tests.support.conditions import apply
from tests.support.tables import arrows, cells
from tripod_flow.rules import transitions
from tripod_flow.rules.authorization import State
from tripod_flow.rules.transitions import Transition

# Each row is a function and the state that its caller read the record in; each column the state that the record is in by now.
# A cell is the state it leads to, or "." where it is refused. The claim is the caller's throughout: the state alone decides.
STATES = """
                                pending     exchanging  exchanged  consented  granted  denied  failed
claim                           exchanging  .           .          .          .        .       .
end_forwarded of pending        failed      .           .          .          .        .       .
deny                            denied      .           .          .          .        .       .
take_over of exchanging         .           exchanging  .          .          .        .       .
take_over of exchanged          .           .           exchanged  .          .        .       .
release of exchanging           .           pending     .          .          .        .       .
release of exchanged            .           .           exchanged  .          .        .       .
count_wrong_pin of exchanging   .           pending     .          .          .        .       .
save_exchange of exchanging     .           exchanged   .          .          .        .       .
grant of exchanging             .           granted     .          .          .        .       .
grant of exchanged              .           .           granted    .          .        .       .
grant of exchanging unbound     .           consented   .          .          .        .       .
grant of exchanged unbound      .           .           consented  .          .        .       .
fail of exchanging              .           failed      .          .          .        .       .
fail of exchanged               .           .           failed     .          .        .       .
confirm of consented            .           .           .          granted    .        .       .
lapse of consented              .           .           .          failed     .        .       .
lease_storing of granted        .           .           .          .          granted  .       .
release_storing of granted      .           .           .          .          granted  .       .
mark_stored of granted          .           .           .          .          granted  .       .
mark_redeemed of granted        .           .           .          .          granted  .       .
mark_published of granted       .           .           .          .          granted  .       .
mark_published of denied        .           .           .          .          .        denied  .
mark_published of failed        .           .           .          .          .        .       failed
postpone of exchanged           .           .           exchanged  .          .        .       .
postpone of consented           .           .           .          consented  .        .       .
postpone of granted             .           .           .          .          granted  .       .
postpone of denied              .           .           .          .          .        denied  .
postpone of failed              .           .           .          .          .        .       failed
"""


@pytest.mark.parametrize(("event", "state", "expected"), cells(STATES))
def test_in_each_state_only_its_own_transitions_are_applied(event: str, state: str, expected: str) -> None:
    name, _, known = event.partition(" of ")
    caller_state, _, kind = known.partition(" ")
    read = of(State(caller_state or "pending"), kind or "bound")
    transition = {"claim": claim(), "deny": deny()}.get(name) or EVENTS[name](read)
    assert transition
    after = apply(replace(read, state=State(state)), transition)
    assert (after.state if after else ".") == expected


def test_the_diagram_of_the_states_is_what_the_rules_do() -> None:
    assert arrows("transitions") == {("[*]", "pending", "begin")} | {
        (state, expected, event.partition(" ")[0]) for event, state, expected in cells(STATES) if expected != "."
    }


def test_each_transition_has_its_row() -> None:
    rules = {name: rule for name, rule in inspect.getmembers(transitions, inspect.isfunction) if not name.startswith("_")}
    making = {name for name, rule in rules.items() if rule.__annotations__.get("return") in (Transition, Transition | None)}
    assert making == {event.partition(" ")[0] for event, _, _ in cells(STATES)}


def test_without_a_lease_it_may_be_taken_at_any_time() -> None:
    assert transitions.take_over(replace(of(State.EXCHANGED), lease_until=None), claim_id="second", now=0)
    assert transitions.lease_storing(replace(of(State.GRANTED), lease_until=None), now=0)


@pytest.mark.parametrize("state", [each for each in State if each not in (State.EXCHANGING, State.EXCHANGED)])
def test_there_is_nothing_to_take_over_but_an_exchange(state: State) -> None:
    assert transitions.take_over(replace(of(state), lease_until=None), claim_id="second", now=T) is None


@pytest.mark.parametrize("state", [each for each in State if each is not State.GRANTED])
def test_there_is_nothing_to_store_but_a_grants_tokens(state: State) -> None:
    assert transitions.lease_storing(replace(of(state), pending_tokens=TOKEN, lease_until=None), now=T) is None
    assert transitions.lease_storing(replace(of(State.GRANTED), pending_tokens=None), now=T + 30) is None


# Each row is a caller, each column how the authorization was begun.
CALLERS = """
                                 bound  unbound  bound pin  app's pin  bound pin of 7
callback, its cookie             yes    yes      .          .          .
callback, another cookie         .      yes      .          .          .
callback, another, subject 7     .      yes      .          .          .
pin, its cookie                  .      .        yes        .          yes
pin, another cookie              .      .        .          .          .
pin, its cookie, subject 7       .      .        .          yes        .
pin, another, subject 7          .      .        .          yes        .
pin, another, subject 8          .      .        .          .          .
denial, its cookie               yes    yes      .          .          .
denial, another cookie           .      yes      .          .          .
"""


@pytest.mark.parametrize(("caller", "kind", "expected"), cells(CALLERS))
def test_who_may_finish_an_authorization(caller: str, kind: str, expected: str) -> None:
    how, whose, *subject = caller.split(", ")
    cookie = "browser" if whose == "its cookie" else "other"
    asked: dict[str, Any] = {"pin": True} if how == "pin" else {}
    if subject:
        asked["subject"] = subject[0].removeprefix("subject ")
    transition = deny(cookie=cookie) if how == "denial" else claim(cookie=cookie, **asked)
    assert ("yes" if apply(begun(kind), transition) else ".") == expected


@pytest.mark.parametrize(("seconds", "in_time"), [(0, True), (599.999, True), (600, False), (600.001, False), (9999, False)])
def test_a_request_token_is_finished_within_ten_minutes(seconds: float, in_time: bool) -> None:
    for transition in (claim(now=T + seconds), deny(now=T + seconds)):
        assert (apply(begun(), transition) is not None) is in_time
