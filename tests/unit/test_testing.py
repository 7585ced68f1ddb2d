import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
import requests
import responses
from requests.adapters import BaseAdapter

import tripod
from tests.support.clock import Clock
from tripod import TicketRejected, TokenNotFound, TokenRevoked, TripodUnavailable, process, testing, tickets

ME = "https://api.x.com/2/users/me"
WHO = "https://api.x.com/1.1/account/verify_credentials.json"
ADA = testing.user("x", "42", screen_name="ada", subject="customer-7")
IN_VAIN = "nothing answers GET https://api.x.com/2/users/me, and within"


@pytest.fixture(autouse=True)
def _prefix(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without a process of before, and end with none of a test's."""
    monkeypatch.delenv("TRIPOD_PREFIX", raising=False)
    process.forget()
    yield
    assert not testing._entered
    process.forget()


def session(user_id: str | int = "42") -> requests.Session:
    return tripod.user_session("x", user_id=user_id)


def listed() -> list[str]:
    return [one.user_id for one in tripod.users("x")]


def test_it_needs_nothing_of_aws_and_is_loaded_by_who_asks_for_it_alone() -> None:
    code = """
import sys
for name in ("boto3", "botocore", "moto", "responses"):
    sys.modules[name] = None  # as where none is installed
import tripod
assert not [name for name in sys.modules if name.startswith(("tripod.testing", "tripod.fake"))]
from tripod import testing, tickets
secret = tickets.new_secret()
with testing.users(testing.user("x", "42"), answer=lambda _: (200, {})) as fake:
    assert tripod.user_session("x", user_id="42").get("https://api.x.com/2/users/me", timeout=5).status_code == 200
    assert tripod.app_session("x").get("https://api.x.com/2/users/me", timeout=5).status_code == 200
    assert tripod.redeem(fake.ticket("x", "42", challenge=tickets.challenge(secret, provider="x")), secret).user_id == "42"
    tripod.disconnect("x", user_id="42")
    for call in (lambda: tripod.user_tokens("x", user_id="42"), lambda: tripod.user_tokens("y", user_id="42"), lambda: list(tripod.users("y"))):
        try:
            call()
        except tripod.TripodError as error:
            print(type(error).__name__)
"""
    finished = subprocess.run([sys.executable, "-c", code], check=False, timeout=30, capture_output=True, text=True)
    assert (finished.stdout.split(), finished.stderr) == (["TokenRevoked", "ConsumerNotFound", "ConsumerNotFound"], "")


@testing.users(ADA)
def test_a_request_that_nothing_answers_says_what_to_do_and_shows_no_query() -> None:
    with pytest.raises(testing.UnansweredRequest, match=IN_VAIN) as caught, session() as x:
        x.get(ME, params={"q": "private"}, timeout=5)
    assert "answer=" in str(caught.value)
    assert "private" not in str(caught.value)
    with pytest.raises(testing.UnansweredRequest), tripod.app_session("x") as x:
        x.get(ME, timeout=5)


def test_the_test_itself_answers_what_is_signed() -> None:
    contents: dict[str, Any] = {"json": {"a": [1]}, "text": "grüß", "bytes": b"\xff"}
    asked = []

    def answer(request: requests.PreparedRequest) -> tuple[int, Any] | None:
        asked.append(request.headers["Authorization"].split()[0])
        kind = str(request.url).rpartition("/")[2]
        return (418, contents[kind]) if kind in contents else None

    with testing.users(ADA, answer=answer) as fake, session() as x:
        found = [x.get(f"https://api.x.com/{kind}", timeout=5) for kind in contents]
        assert [each.status_code for each in found] == [418] * 3
        assert (found[0].json(), found[1].text, found[2].content) == tuple(contents.values())
        with pytest.raises(testing.UnansweredRequest):
            x.get(ME, timeout=5)
        fake.answer = None
        with pytest.raises(testing.UnansweredRequest):
            x.get("https://api.x.com/json", timeout=5)
    assert asked == ["OAuth"] * 4


@responses.activate
def test_the_library_responses_answers_but_no_token_that_the_provider_refuses() -> None:
    responses.get(ME, json={"data": {"username": "ada"}})
    responses.get(WHO, json={"screen_name": "ada"})
    with testing.users(ADA) as fake, session() as x:
        assert x.get(ME, timeout=5).json()["data"]["username"] == "ada"
        assert 'oauth_consumer_key="consumer-key-of-x"' in responses.calls[0].request.headers["Authorization"]
        fake.sign_in(ADA)
        again = x.get(ME, timeout=5)
        assert (again.status_code, [each.status_code for each in again.history]) == (200, [401])
        fake.revoke("x", 42)
        assert x.get(ME, timeout=5).status_code == 401
        with pytest.raises(TokenRevoked):
            x.get(WHO, timeout=5)
        assert len(responses.calls) == 2
        with tripod.app_session("x") as app:
            assert app.get(ME, timeout=5).status_code == 200


def test_an_adapter_that_is_mounted_answers() -> None:
    class Teapot(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            response = requests.Response()
            response.status_code, response.url = 418, str(request.url)
            return response

        def close(self) -> None:
            pass

    with testing.users(ADA), session() as x:
        x.mount("https://api.x.com/", Teapot())
        assert x.get(ME, timeout=5).status_code == 418


def test_a_server_of_this_machine_is_reached() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = self.headers["Authorization"].split()[0].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            providers = {"x": {"like": "x", "api_hosts": ["127.0.0.1"]}}
            with testing.users(ADA, providers=providers), session() as x:
                assert x.get(f"http://127.0.0.1:{server.server_port}/", timeout=5).text == "OAuth"
        finally:
            server.shutdown()
            thread.join()


def test_what_was_before_is_there_again_and_a_session_from_within_sends_nothing_afterwards() -> None:
    before = process.this()
    with testing.users(ADA, answer=lambda _: (200, {})) as fake:
        within = process.this()
        x = session()
        process.forget()  # as a test may do at any time
        assert listed() == ["42"]
        with testing.users(testing.user("x", "7")):
            assert listed() == ["7"]
        assert listed() == ["42"]
        assert process.this() not in (before, within)
    assert process.this() is before
    fake.answer = None
    with pytest.raises(testing.UnansweredRequest, match=IN_VAIN):
        x.get(ME, timeout=5)
    with pytest.raises(ZeroDivisionError), testing.users(ADA):
        raise ZeroDivisionError
    assert process.this() is before


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1)])
def test_those_that_overlap_may_end_in_any_order(order: tuple[int, ...]) -> None:
    before = process.this()
    scopes = [testing.users(testing.user("x", str(number))) for number in range(3)]
    left = list(range(3))
    for scope in scopes:
        scope.__enter__()
    for number in order:
        scopes[number].__exit__(None, None, None)
        left.remove(number)
        assert not left or listed() == [str(left[-1])]
    assert process.this() is before


def test_threads_see_the_same_and_sign_in_together() -> None:
    found: list[int] = []

    def act(number: int) -> None:
        fake.sign_in(testing.user("x", number))
        with session(number) as x:
            found.append(x.get(ME, timeout=5).status_code)
        found.append(len(tripod.user_tokens("x", user_id=number).oauth_token))

    with testing.users(answer=lambda _: (200, {})) as fake:
        threads = [threading.Thread(target=act, args=(number,)) for number in range(10, 26)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert listed() == [str(number) for number in range(10, 26)]
        assert len({tripod.user_tokens("x", user_id=number).oauth_token for number in range(10, 26)}) == 16
    assert len(found) == 32


def test_what_it_decorates_begins_anew_with_each_call() -> None:
    @testing.users(ADA)
    def plain(user_id: str) -> list[str]:
        before = listed()
        tripod.disconnect("x", user_id=user_id)
        return before + listed()

    @testing.users(ADA)
    async def coroutine(user_id: str) -> list[str]:
        await asyncio.sleep(0)
        return plain(user_id) + listed()

    assert [plain("42"), plain(user_id="42")] == [["42"]] * 2
    with ThreadPoolExecutor(1) as thread:  # whose own loop nobody has set going
        assert [thread.submit(asyncio.run, coroutine("42")).result() for _ in range(2)] == [["42", "42"]] * 2


def test_it_decorates_nothing_that_goes_on_when_its_call_is_over() -> None:
    def generator() -> Iterator[int]:
        yield 1

    async def asynchronous() -> Any:
        yield 1

    class Tests:
        pass

    things: tuple[Callable[..., Any], ...] = (generator, asynchronous, Tests)
    for thing in things:
        with pytest.raises(TypeError, match="write `with testing"):
            testing.users(ADA)(thing)


def test_who_signs_in_anew_keeps_the_subject_and_has_the_name_that_the_provider_says_now() -> None:
    with testing.users(ADA) as fake:
        (first,) = tripod.users("x")
        fake.sign_in(testing.user("x", "42", extra={"plan": "pro"}, expires_at=4_000_000_000))
        (second,) = tripod.users("x")
        assert (first.subject, first.screen_name, first.extra, first.expires_at) == ("customer-7", "ada", {}, None)
        assert (second.subject, second.screen_name, second.extra) == ("customer-7", None, {"plan": "pro"})
        assert tripod.user_tokens("x", user_id="42").screen_name is None
        assert second.expires_at == tripod.user_tokens("x", user_id="42").expires_at == 4_000_000_000
        tripod.disconnect("x", user_id="42")
        fake.sign_in(testing.user("x", "42"))
        (third,) = tripod.users("x")
        assert (third.subject, third.screen_name) == (None, None)


def test_a_ticket_is_redeemed_once_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, secret = Clock(), tickets.new_secret()
    monkeypatch.setattr(time, "time", clock)
    challenge = tickets.challenge(secret, provider="x")
    with testing.users(ADA) as fake:
        one, other = (fake.ticket("x", "42", challenge=challenge) for _ in range(2))
        clock.now += 299
        proof = tripod.redeem(one, secret)
        assert (proof.user_id, proof.screen_name, proof.subject, proof.return_to) == ("42", "ada", "customer-7", None)
        clock.now += 59
        assert tripod.redeem(one, secret) == proof
        for ticket in (other, one):
            clock.now += 1
            with pytest.raises(TicketRejected):
                tripod.redeem(ticket, secret)


def test_tripods_own_failures_are_raised_once() -> None:
    with testing.users(ADA) as fake:
        fake.fail("disconnect", code="internal", retry_after=5)
        fake.fail("redeem", code="provider_unavailable")
        with pytest.raises(TripodUnavailable) as caught:
            tripod.disconnect("x", user_id="42")
        assert (caught.value.code, caught.value.retry_after) == ("internal", 5)
        assert listed() == ["42"]
        tripod.disconnect("x", user_id="42")
        with pytest.raises(TripodUnavailable) as caught:
            tripod.redeem("ticket", "secret")
        assert (caught.value.code, caught.value.retry_after) == ("provider_unavailable", None)
        with pytest.raises(TicketRejected):
            tripod.redeem("ticket", "secret")


@pytest.mark.parametrize(
    ("mistake", "error", "said"),
    [
        (lambda fake: fake.revoke("x", "7"), LookupError, "no user '7' of x is connected"),
        (lambda fake: fake.ticket("x", "7", challenge="c" * 43), LookupError, "sign them in first"),
        (lambda fake: fake.ticket("x", "42", challenge="c" * 42), ValueError, r"tripod\.tickets\.challenge"),
        (lambda fake: fake.sign_in(testing.user("flickr", "7")), ValueError, "providers="),
        (lambda _: testing.user("No", "7"), ValueError, "no provider's name"),
        (lambda _: testing.user("x", ""), ValueError, "not empty"),
        (lambda _: testing.user("x", cast("int", 1.0)), TypeError, "not float"),
        (lambda _: testing.user("x", "7", subject=cast("str", 42)), TypeError, "subject is a string"),
        (lambda _: testing.user("x", "7", labels="beta"), TypeError, "labels are a list of strings"),
        (lambda _: testing.user("x", "7", labels=cast("list[str]", [1])), TypeError, "labels are a list of strings"),
        (lambda _: testing.users(providers={"x": {"realm": 7}}), ValueError, "provider.realm"),
        (lambda _: testing.users(providers={"x": "nobodys"}), ValueError, "docs/providers.md"),
    ],
)
def test_a_mistake_in_a_test_is_told(mistake: Callable[[Any], object], error: type[Exception], said: str) -> None:
    with testing.users(ADA) as fake, pytest.raises(error, match=said):
        mistake(fake)


@pytest.mark.parametrize("returned", [{"data": {}}, (200,), 200, "OK", ("200", "OK"), requests.Response(), (200, "OK", {})])
def test_an_answer_that_is_none_is_told(returned: Any) -> None:
    with (
        testing.users(ADA, answer=lambda _: returned),
        session() as x,
        pytest.raises(TypeError, match="status and a content") as caught,
    ):
        x.get(ME, timeout=5)
    assert type(returned).__name__ in str(caught.value)


def test_each_user_and_each_name_has_a_provider_and_no_other_has() -> None:
    with testing.users(testing.user("flickr", "a@b"), providers="tumblr"):
        assert [one.user_id for one in tripod.users("flickr")] == ["a@b"]
        assert list(tripod.users("tumblr")) == []
        with pytest.raises(tripod.ConsumerNotFound):
            next(tripod.users("x"))
        with pytest.raises(TokenNotFound):
            tripod.user_tokens("tumblr", user_id="a@b")


def test_check_says_whether_the_provider_takes_the_tokens_and_users_lists_whom_it_refuses() -> None:
    def listed(**asked: str) -> list[tuple[str, str, str | None]]:
        return [(one.user_id, one.state, one.cause) for one in tripod.users("x", **asked)]

    def check(user_id: str) -> tuple[str, str | None]:
        found = tripod.check("x", user_id=user_id)
        return found.state, found.cause

    with testing.users(ADA) as fake:
        assert check("42") == ("connected", None)
        assert listed(subject="customer-7") == [("42", "connected", None)]
        fake.revoke("x", "42")
        with pytest.raises(tripod.TokenRevoked):
            tripod.user_session("x", user_id="42").get("https://api.x.com/1.1/account/verify_credentials.json", timeout=5)
        assert listed(state="refused") == [("42", "refused", "token_revoked")]
        assert (check("42"), listed(state="connected")) == (("refused", "token_revoked"), [])
        fake.sign_in(ADA)
        assert (listed(), check("42"), listed(state="refused")) == ([("42", "connected", None)], ("connected", None), [])
        with pytest.raises(TokenNotFound):
            check("7")
        fake.fail("check", code="provider_unavailable")
        fake.revoke("x", "42")
        assert session().get(ME, timeout=5).status_code == 401  # it is reported, in vain
        assert listed(state="refused") == []
        with pytest.raises(tripod.TripodUnavailable):
            check("42")
        assert check("42") == ("refused", "token_revoked")
        (first,) = tripod.users("x")
        check("42")
        (again,) = tripod.users("x")
        assert again.refused_at == first.refused_at
        for odd in ("", "a\nb", "x" * 600):
            with pytest.raises(TripodUnavailable, match="bad_request"):
                check(odd)


def test_labels_are_kept_and_tokens_that_have_ended_are_refused() -> None:
    with testing.users(testing.user("x", "42", labels=["beta"], expires_at=1)) as fake:
        assert tripod.check("x", user_id="42").cause == "token_expired"
        fake.sign_in(testing.user("x", "42"))
        assert [one.labels for one in tripod.users("x")] == [("beta",)]
