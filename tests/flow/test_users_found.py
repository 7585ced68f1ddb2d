"""Users are found by the app's own id, and by state; what the app says of them is kept and told."""

from typing import Any

import pytest

import tripod
from tests.support.checks import events, listed, told
from tests.support.direct import begin, new_pair, ticket_in
from tests.support.reading import grant, reading
from tests.support.sandbox_app import RETURN_TO, SandboxApp


def test_labels_and_subject_are_kept_told_and_found(app: SandboxApp) -> None:
    secret, challenge = new_pair(app.name, RETURN_TO)
    begun = begin(app, challenge=challenge, subject="customer-7", labels=["beta", "eu"], return_to=RETURN_TO)
    with reading(app.sandbox):
        back = app.browser().get(app.consent(begun["authorize_url"]))
        tripod.redeem(ticket_in(back.headers["location"]), secret)
        [found] = listed(app, subject="customer-7")
        assert (found.user_id, found.subject, found.labels) == (app.user.user_id, "customer-7", ("beta", "eu"))
        assert listed(app, subject="customer-8") == []
        grant(app)  # in a browser of its own: what the app has said stays
        assert [one.labels for one in listed(app, subject="customer-7", state="connected")] == [("beta", "eu")]
        assert listed(app, subject="customer-7", state="refused") == []
        tripod.disconnect(app.name, user_id=app.user.user_id)
        assert listed(app, subject="customer-7") == []
        assert told(app, "authorization.granted", "authorization.granted", "connection.revoked")
    assert [event["labels"] for event in events(app, "authorization.granted")] == [["beta", "eu"], []]
    assert [event["labels"] for event in events(app, "connection.revoked")] == [["beta", "eu"]]


@pytest.mark.parametrize(
    "labels", ["beta", ["a"] * 6, ["a", "a"], [1], ["x" * 65], [""], ["a\nb"], {"a": "b"}], ids=lambda labels: repr(labels)[:12]
)
def test_labels_of_another_form_are_told(app: SandboxApp, labels: Any) -> None:
    answer = begin(app, challenge=new_pair(app.name)[1], subject="7", labels=labels)
    assert answer["code"] == "bad_request"
    assert "labels" in answer["detail"]


def test_a_state_that_is_none_is_an_error(app: SandboxApp) -> None:
    with reading(app.sandbox), pytest.raises(ValueError, match="connected"):
        next(tripod.users(app.name, state="revoked"))
