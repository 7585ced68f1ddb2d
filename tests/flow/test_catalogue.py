"""Each provider of the catalogue, against the sandbox's play of it, which was written apart: a whole life of a connection."""

import pytest
import requests

import tripod
from sandbox.browser import JSON
from sandbox.provider import plays
from sandbox.world import Sandbox
from tests.support.catalogue_app import CatalogueApp, make_catalogue_app
from tests.support.direct import invoke
from tests.support.reading import reading
from tests.support.sandbox_app import SandboxApp
from tripod.catalogue import CATALOGUE

OTHERS = sorted(CATALOGUE.keys() - {"x"})  # X is what every other test is about
IN_A_BROWSER = [name for name in OTHERS if name != "fatsecret"]  # which begins by direct invocation: test_catalogue_keys.py
TOLD = {name for name in OTHERS if "revoked" in CATALOGUE[name].definition} | {"hatena"}  # the latter in OAuth's own words


@pytest.fixture(params=IN_A_BROWSER)
def app(request: pytest.FixtureRequest, sandbox: Sandbox) -> CatalogueApp:
    return make_catalogue_app(sandbox, request.param)


def connect(app: CatalogueApp) -> None:
    browser = app.browser()
    answer = browser.get(app.come_back(browser), accept=JSON)
    assert (answer.status_code, answer.json().get("outcome"), answer.json().get("user_id")) == (200, "granted", app.user_id)


def read(app: CatalogueApp) -> requests.Response:
    """Make the call that a token opens, as a Lambda does."""
    tokens = tripod.user_tokens(app.name, user_id=app.user_id)
    url = app.address(app.known.read)
    if app.play == "zotero":
        return requests.get(url, headers={"Zotero-API-Key": tokens.oauth_token_secret}, timeout=5)
    if app.play == "evernote":
        return requests.post(url, data=f"getUser {tokens.oauth_token}".encode(), timeout=5)
    with tripod.user_session(app.name, user_id=app.user_id) as session:
        return session.get(url, headers={"Accept": "application/json"}, timeout=5)


def test_the_sandbox_plays_whom_the_catalogue_has() -> None:
    assert sorted(plays.names()) == OTHERS


@pytest.mark.parametrize("name", IN_A_BROWSER)
def test_the_sandboxs_own_app_signs_in_at_whom_it_plays(name: str, sandbox: Sandbox) -> None:
    """As ``python -m sandbox --provider`` has it: the definition is the catalogue's, its URLs are the sandbox's."""
    called = f"{name}-played"
    app = SandboxApp(sandbox, called, sandbox.add_provider(called, play=name), sandbox.provider_server.add_user())
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json()["outcome"] == "granted"


def test_a_grant_is_kept_under_the_users_own_id(app: CatalogueApp) -> None:
    connect(app)
    stored = app.stored()
    assert stored is not None
    assert (stored["provider"], stored["user_id"]) == (app.name, app.user_id)
    assert stored["oauth_token"] == app.sandbox.provider_server.valid_token(app.consumer.key, app.user)


def test_a_no_ends_the_sign_in_or_never_comes_back(app: CatalogueApp) -> None:
    browser = app.browser()
    back = app.come_back(browser, cancel=True)
    if app.known.no is None:
        assert back == ""
        return
    answer = browser.get(back, accept=JSON).json()
    # Without a verifier and without a word a no looks like a yes, until it is exchanged.
    wordless = app.known.late and app.known.no == {"oauth_token": "{token}"}
    assert answer["code"] == ("verifier_rejected" if wordless else "denied")
    assert app.stored() is None


def test_a_wrong_verifier_is_refused_and_nothing_is_kept(app: CatalogueApp) -> None:
    browser = app.browser()
    back = app.come_back(browser)
    token = back.partition("oauth_token=")[2].partition("&")[0]
    wrong = back.partition("?")[0] + f"?oauth_token={token}&oauth_verifier=wr0ng"
    if app.known.late:  # it has none that could be wrong: only the request token
        app.sandbox.provider_server.expire(token)
        wrong = back
    assert browser.get(wrong, accept=JSON).json()["code"] == "verifier_rejected"
    assert app.stored() is None


def test_a_wrong_consumer_secret_is_told_as_the_apps_fault(app: CatalogueApp) -> None:
    app.change_consumer(consumer_secret="wr0ng")
    answer = app.browser().start(app.name, accept=JSON)
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_rejected")


def test_a_lambda_reads_with_the_tokens(app: CatalogueApp) -> None:
    connect(app)
    with reading(app.sandbox):
        answer = read(app)
    assert answer.status_code == 200, answer.text
    assert app.sandbox.provider_server.calls(app.consumer.key)[-1].status == 200


def test_a_revoked_token_is_noticed(app: CatalogueApp) -> None:
    connect(app)
    app.revoke_there()
    with reading(app.sandbox):
        try:
            answer = read(app)
        except tripod.TokenRevoked:
            assert app.play in TOLD
            return
    assert app.play not in TOLD  # it says so in no words of its own: the answer is the caller's to read, and was sent once
    status, said = app.known.revoked
    assert answer.status_code == status
    assert said in answer.text
    assert [call.status for call in app.sandbox.provider_server.calls(app.consumer.key)].count(status) <= 1 or status == 200


def test_a_disconnect_ends_it_here_and_where_there_is_a_way_at_the_provider(app: CatalogueApp) -> None:
    connect(app)
    answer = invoke(app, "revoke", provider=app.name, user_id=app.user_id)
    ends_there = app.known.revoke is not None
    assert (answer.get("outcome"), answer.get("invalidated")) == ("revoked", ends_there)
    assert (app.sandbox.provider_server.valid_token(app.consumer.key, app.user) is None) is ends_there
    assert app.is_deleted()
    with reading(app.sandbox), pytest.raises(tripod.TokenRevoked):
        tripod.user_tokens(app.name, user_id=app.user_id)


def test_who_comes_back_is_connected_again(app: CatalogueApp) -> None:
    connect(app)
    invoke(app, "revoke", provider=app.name, user_id=app.user_id)
    connect(app)
    with reading(app.sandbox):
        assert read(app).status_code == 200
