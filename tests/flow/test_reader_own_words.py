"""How a provider says in words of its own that a token is revoked, and what must not be taken for them."""

from collections.abc import Iterator

import pytest
import requests

import tripod
from sandbox.provider import ProviderFailure
from sandbox.world import Sandbox
from tests.support.catalogue_app import CatalogueApp, make_catalogue_app
from tests.support.reading import grant, reading

WIKI = '{"error":{"code":"mwoauth-invalid-authorization","info":"The authorization headers are not valid"}}'
TOLD = [
    ("mediawiki", 200, WIKI),
    ("flickr", 200, '{"stat":"fail","code":98,"message":"Invalid auth token"}'),
    ("flickr", 200, 'jsonFlickrApi({"stat":"fail","code":98,"message":"Invalid auth token"})'),
    (
        "flickr",
        200,
        '<?xml version="1.0" encoding="utf-8" ?>\n<rsp stat="fail">\n\t<err code="98" msg="Invalid auth token" />\n</rsp>',
    ),
    ("wordpress", 401, "Access token does not exist"),
]
NOT_TOLD = [
    ("mediawiki", 200, f'{{"query":{{"pages":{{"1":{{"content":"{WIKI[2:50]}"}}}}}}}}'),
    ("mediawiki", 200, '{"parse": "' + WIKI.replace('"', '\\"') + '"}'),
    ("mediawiki", 200, f"<page>{WIKI}</page>"),
    ("flickr", 200, '<rsp stat="ok"><title>{"stat":"fail","code":98}</title></rsp>'),
    ("flickr", 200, '{"photos":{"photo":[{"title":"\\"code\\":98"}]},"stat":"ok"}'),
    ("flickr", 200, '{"stat":"fail","code":980,"message":"another"}'),
    ("mediawiki", 404, WIKI),
]


@pytest.fixture
def world(sandbox: Sandbox) -> Iterator[Sandbox]:
    with reading(sandbox):
        yield sandbox


def connected(world: Sandbox, play: str) -> CatalogueApp:
    app = make_catalogue_app(world, play)
    grant(app)
    return app


def read(app: CatalogueApp, *, stream: bool = False) -> requests.Response:
    return tripod.user_session(app.name, user_id=app.user_id).get(app.address(app.known.read), timeout=5, stream=stream)


def answering(app: CatalogueApp, status: int, body: str) -> None:
    kind = "application/json" if body.startswith("{") else "text/javascript" if body.startswith("json") else "text/xml"
    app.fault("identity" if app.play == "wordpress" else "api", ProviderFailure(status, body, kind))


@pytest.mark.parametrize(("play", "status", "body"), TOLD)
def test_a_provider_says_that_a_token_is_revoked(world: Sandbox, play: str, status: int, body: str) -> None:
    app = connected(world, play)
    answering(app, status, body)
    with pytest.raises(tripod.TokenRevoked):
        read(app)


@pytest.mark.parametrize(("play", "status", "body"), NOT_TOLD)
def test_what_others_have_written_in_an_answer_revokes_nothing(world: Sandbox, play: str, status: int, body: str) -> None:
    app = connected(world, play)
    answering(app, status, body)
    assert (read(app).status_code, read(app).status_code) == (status, 200)


def test_an_answer_that_was_looked_at_is_whole_in_whatever_way_it_is_read(world: Sandbox) -> None:
    app = connected(world, "mediawiki")
    large = '{"query": "' + "a" * 200_000 + '"}'
    answering(app, 200, large)
    with read(app, stream=True) as answer:
        assert answer.raw.read() == large.encode()
