"""Anyone with the authorize URL of a direct invocation can end it: they get nothing of the app's query or challenge."""

import html

import pytest

from tests.support.direct import begin, new_pair
from tests.support.sandbox_app import RETURN_TO, SandboxApp

QUERY = "?state=the-apps-own"


@pytest.mark.parametrize("brought", ["denied={token}", "oauth_token={token}&oauth_verifier=made-up"])
@pytest.mark.parametrize("return_to", [RETURN_TO + QUERY, ""])
def test_a_stranger_who_ends_it_gets_no_query(app: SandboxApp, brought: str, return_to: str) -> None:
    _, challenge = new_pair(app.name, return_to)
    asked = {"return_to": return_to} if return_to else {}
    begun = begin(app, challenge=challenge, subject="customer 42", **asked)
    answer = app.browser().get(f"/oauth/{app.name}/callback?{brought.format(token=begun['request_token'])}")
    seen = html.unescape(answer.text) + answer.headers.get("location", "")
    assert answer.status_code == (303 if return_to else 400 if "made-up" in brought else 403)
    for withheld in ("the-apps-own", challenge, "customer 42"):
        assert withheld not in seen


def test_a_stranger_who_comes_too_late_gets_no_query(app: SandboxApp) -> None:
    _, challenge = new_pair(app.name, RETURN_TO + QUERY)
    begun = begin(app, challenge=challenge, return_to=RETURN_TO + QUERY)
    app.change_item(f"authorization#{app.name}#{begun['request_token']}", expires_at=1)
    answer = app.browser().get(f"/oauth/{app.name}/callback?denied={begun['request_token']}")
    assert answer.status_code == 410
    assert "location" not in answer.headers
    for withheld in ("the-apps-own", challenge):
        assert withheld not in html.unescape(answer.text)
