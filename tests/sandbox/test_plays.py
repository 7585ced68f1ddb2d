"""Each provider that the sandbox plays, by a client that has read about the real one: what all of them have in common."""

from collections.abc import Iterator
from typing import cast

import pytest
import requests

from sandbox.provider import ProviderFailure, ProviderServer, Visitor, plays
from sandbox.provider.records import Leg
from tests.support.app_client import CALLBACK, fields_of, query_of
from tests.support.known_providers import KNOWN
from tests.support.play_client import PlayClient, found, is_refused, token_of

VARYING = ("mediawiki", "wordpress", "usos", "opencaching")  # sites: at any host


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture(params=sorted(KNOWN))
def app(request: pytest.FixtureRequest, provider: ProviderServer) -> PlayClient:
    return PlayClient(provider, request.param)


def test_every_play_is_tried_here() -> None:
    assert sorted(plays.names()) == sorted(KNOWN)


def test_a_sign_in_ends_in_a_token_that_opens_a_read_which_says_who_the_user_is(app: PlayClient) -> None:
    answer = app.sign_in()
    access = token_of(answer)
    if app.known.id_field:
        assert fields_of(answer)[app.known.id_field] == app.user_id
    told = app.read(access)
    assert told.status_code == 200, told.text
    if app.known.id_path:
        assert str(found(app.known.id_path, told.json())) == app.user_id
    legs = [call.leg for call in app.provider.calls(app.consumer.key)]
    assert [leg for leg in legs if leg != "authorize"][:2] == ["request_token", "access_token"]
    assert legs[-1] in ("identity", "api")
    assert app.provider.valid_token(app.consumer.key, app.user) == access.key


def test_a_second_user_of_the_app_is_another(app: PlayClient) -> None:
    first = app.connect()
    app.user = app.provider.users[1]
    second = app.connect()
    assert first.key != second.key
    assert app.read(second).status_code == 200


def test_a_no_comes_back_as_the_provider_tells_it_or_not_at_all(app: PlayClient) -> None:
    token = app.request_token()
    back = app.consent(token, cancel=True)
    if app.known.no is None:
        assert back == ""
    else:
        assert back.startswith(CALLBACK)
        assert query_of(back) == {name: value.format(token=token.key) for name, value in app.known.no.items()}
    assert is_refused(app.exchange(token, "anything"), app.exchange_refused)


def test_a_wrong_verifier_or_none_is_refused_and_the_right_one_works_after_it(app: PlayClient) -> None:
    token = app.request_token()
    if app.known.late:
        assert is_refused(app.exchange(token, None), app.known.verifier_refused)
        app.consent(token)
        assert app.exchange(token, None).status_code == 200
        return
    verifier = query_of(app.consent(token))["oauth_verifier"]
    for wrong in ("wrong", None):
        assert is_refused(app.exchange(token, wrong), app.known.verifier_refused)
    assert "oauth_token_secret" in fields_of(app.exchange(token, verifier))
    assert is_refused(app.exchange(token, verifier), app.exchange_refused)


def test_a_wrong_consumer_secret_is_refused_in_the_providers_words(app: PlayClient) -> None:
    wrong = PlayClient(app.provider, app.name, type(app.consumer)(app.consumer.key, "wrong"))
    assert is_refused(wrong.ask_request_token(), app.known.signature_refused)
    assert app.ask_request_token().status_code == 200


def test_a_token_that_the_user_revoked_opens_nothing(app: PlayClient) -> None:
    access = app.connect()
    app.provider.revoke(app.consumer.key, app.user)
    refused = app.read(access)
    assert is_refused(refused, app.known.revoked), refused.text
    assert app.provider.valid_token(app.consumer.key, app.user) is None
    assert app.connect().key != access.key


def test_an_app_revokes_its_token_where_the_provider_lets_it(app: PlayClient) -> None:
    access = app.connect()
    if app.known.revoke is None:
        assert "invalidate_url" not in app.provider.endpoints(app.consumer.key)
        return
    assert app.revoke(access).ok
    assert app.provider.valid_token(app.consumer.key, app.user) is None
    assert is_refused(app.read(access), app.known.revoked)
    assert not app.revoke(access).ok
    assert app.provider.calls(app.consumer.key, "invalidate_token")


def test_an_expired_request_token_is_refused(app: PlayClient) -> None:
    token = app.request_token()
    verifier = query_of(app.consent(token)).get("oauth_verifier")
    app.provider.expire(token.key)
    assert is_refused(app.exchange(token, verifier), app.exchange_refused)


def test_another_address_is_404_and_another_method_405(app: PlayClient) -> None:
    host, _, path = app.known.request_token.removeprefix("https://").partition("/")
    for wrong in (f"https://{host}/nothing/at/all", f"https://{host}"):
        assert app.call("POST", wrong, callback_uri=CALLBACK).status_code == 404
    elsewhere = app.call(app.known.method, f"https://other.example/{path}", callback_uri=CALLBACK)
    assert elsewhere.status_code == (200 if app.name in VARYING else 404)
    assert app.call("PATCH", app.known.request_token, callback_uri=CALLBACK).status_code == 405
    assert requests.get(f"{app.provider.url}/nosuch/{host}/{path}", timeout=5).status_code == 404


def test_an_app_of_x_or_of_another_play_is_nobodys(app: PlayClient) -> None:
    other = "plurk" if app.name != "plurk" else "zaim"
    for elsewhere in ("x", other):
        stranger = PlayClient(app.provider, app.name, app.provider.register(consumer_secret="s3cret", play=elsewhere))
        assert is_refused(stranger.ask_request_token(), app.known.signature_refused)
    token = app.request_token()
    visitor = Visitor(app.user)
    with pytest.raises(ValueError, match="403: Whoa there"):
        visitor.authorize(f"{app.provider.url}/oauth/authorize?oauth_token={token.key}")
    visitor.close()


def test_a_fault_of_a_leg_happens_at_a_play(app: PlayClient) -> None:
    app.provider.fault(app.consumer.key, "request_token", ProviderFailure(503, "later"))
    assert (app.ask_request_token().status_code, app.ask_request_token().status_code) == (503, 200)
    access = app.connect()
    app.read(access)
    leg = app.provider.calls(app.consumer.key)[-1].leg
    app.provider.fault(app.consumer.key, cast("Leg", leg), ProviderFailure(502, "gateway"))
    assert (app.read(access).status_code, app.read(access).status_code) == (502, 200)


def test_no_secret_that_is_empty_counts_as_issued(app: PlayClient) -> None:
    app.connect()
    assert all(app.provider.issued(app.consumer.key))


def test_a_definition_says_whom_the_sandbox_is_like_and_where(app: PlayClient) -> None:
    definition = app.provider.endpoints(app.consumer.key)
    assert definition["like"] == app.name
    assert {"request_token_url", "authorize_url", "access_token_url"} <= set(definition)
    told = {name: url for name, url in definition.items() if name.endswith("_url")}
    assert told.keys() | {"like", "site"} >= definition.keys()
    assert all(url.startswith(f"{app.provider.url}/{app.name}/") for url in told.values())
    urls = {name: f"https://{url.partition(f'/{app.name}/')[2]}" for name, url in told.items()}
    follower = PlayClient(app.provider, app.name, app.consumer, request_token=urls["request_token_url"])
    assert follower.ask_request_token().status_code == 200
    assert requests.get(f"{definition['authorize_url']}", timeout=5).status_code == 403
