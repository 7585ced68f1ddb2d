"""What the log may have of a provider's answer: words, and nothing that could be a secret."""

import pytest

from tripod_flow.edges.glimpse import glimpse


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("", ""),
        ("Invalid signature. Expected OAuth.", "Invalid signature. Expected …"),
        ('{"errors":[{"code":179,"message":"Not authorized"}]}', '{"errors":[{"code":179,"message":"Not authorized"}]}'),
        ("token l9Y3UocXmRlTeWaKxI3dY1zZRkbgKOzuVu83TY0ltYi is used", "token … is used"),
        ("oauth_problem=token_rejected&oauth_token=abc", "…"),
        ("PIN 1234567 at 12", "PIN … at 12"),
        ("a verifier: known", "a verifier: …"),
        ("<h1>Just a moment...</h1>", "<…>Just a …>"),
        ("\x1b[31mred\r\nline", "… line"),
        ("word " * 100, "word " * 32),
        ("\u00e9t\u00e9 \ud83d", "…"),
    ],
)
def test_words_are_shown_and_whatever_could_be_a_secret_is_not(body: str, shown: str) -> None:
    assert glimpse(body.encode(errors="replace"), [None, "", "known"]) == shown
