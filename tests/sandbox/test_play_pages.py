"""What one provider's pages want of the authorize URL, and what its callback brings."""

from collections.abc import Iterator

import pytest
import requests

from sandbox.provider import ProviderServer, User, Visitor
from tests.support.app_client import fields_of, query_of
from tests.support.known_providers import NETSUITE, TRELLO
from tests.support.play_client import PlayClient, token_of


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


def visit(app: PlayClient, url: str, user: User | None = None) -> str:
    visitor = Visitor(user or app.user)
    try:
        return visitor.authorize(url)
    finally:
        visitor.close()


def test_tumblrs_callback_ends_in_a_fragment(provider: ProviderServer) -> None:
    app = PlayClient(provider, "tumblr")
    assert app.consent(app.request_token()).endswith("#_=_")


@pytest.mark.parametrize("query", ["", "?perms=everything"])
def test_flickrs_page_wants_perms(provider: ProviderServer, query: str) -> None:
    app = PlayClient(provider, "flickr", authorize=f"https://www.flickr.com/services/oauth/authorize{query}")
    token = app.request_token()
    with pytest.raises(ValueError, match="400: That didn't work"):
        app.consent(token)


def test_trello_without_a_callback_sends_the_browser_to_oob(provider: ProviderServer) -> None:
    app = PlayClient(provider, "trello")
    token = app.request_token(callback_uri="oob")
    back = app.consent(token)
    assert back.startswith(f"{provider.url}/trello/trello.com/oob?")
    assert query_of(back)["oauth_token"] == token.key


def test_trello_names_the_app_as_the_authorize_url_does(provider: ProviderServer) -> None:
    app = PlayClient(provider, "trello")
    token = app.request_token()
    assert "Shelves" in requests.get(app.page(token), timeout=5).text
    bare = app.address(f"{TRELLO}/OAuthAuthorizeToken?oauth_token={token.key}")
    assert "An unknown application" in requests.get(bare, timeout=5).text


def test_trello_wants_a_callback_of_an_allowed_origin(provider: ProviderServer) -> None:
    there = provider.register(play="trello", callback_urls=["http://127.0.0.1:9/elsewhere"])
    app = PlayClient(provider, "trello", there)
    assert app.connect()
    other = PlayClient(provider, "trello", provider.register(play="trello", callback_urls=["http://127.0.0.1:10"]))
    refused = other.ask_request_token()
    token = token_of(refused)
    assert "Invalid return_url" in requests.get(other.page(token), timeout=5).text


def test_a_wiki_asks_nobody_twice_at_authenticate(provider: ProviderServer) -> None:
    app = PlayClient(provider, "mediawiki")
    app.connect()
    again = PlayClient(provider, "mediawiki", app.consumer, authorize=app.known.authorize.replace("authorize", "authenticate"))
    visitor = Visitor(app.user)
    visitor.authorize(app.page(app.request_token()))
    assert query_of(visitor.authorize(again.page(again.request_token())))["oauth_verifier"]
    visitor.close()


@pytest.mark.parametrize("name", ["schoology", "tripit", "launchpad"])
def test_before_1_0a_nothing_is_confirmed_and_no_verifier_comes(provider: ProviderServer, name: str) -> None:
    app = PlayClient(provider, name)
    asked = app.ask_request_token()
    assert list(fields_of(asked)) == ["oauth_token", "oauth_token_secret"]
    token = token_of(asked)
    assert query_of(app.consent(token)) == {"oauth_token": token.key}


def test_who_says_no_callback_before_1_0a_stays_at_the_provider(provider: ProviderServer) -> None:
    app = PlayClient(provider, "tripit")
    assert visit(app, app.address(f"{app.known.authorize}?oauth_token={app.request_token().key}")) == ""


def test_netsuites_callback_says_company_role_and_entity_and_gives_the_state_back(provider: ProviderServer) -> None:
    app = PlayClient(
        provider,
        "netsuite",
        authorize=f"{NETSUITE.replace('restlets.api', 'app')[:-5]}/app/login/secure/authorizetoken.nl?state=a1",
    )
    back = query_of(app.consent(app.request_token()))
    assert {"company", "role", "entity"} <= set(back)
    assert back["state"] == "a1"


def test_wordpress_says_its_scope_and_ravelry_who_it_is(provider: ProviderServer) -> None:
    blog, knits = PlayClient(provider, "wordpress"), PlayClient(provider, "ravelry")
    assert query_of(blog.consent(blog.request_token()))["wp_scope"] == "*"
    assert query_of(knits.consent(knits.request_token()))["username"] == knits.user.screen_name
