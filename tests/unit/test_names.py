import re

from hypothesis import given
from hypothesis import strategies as st

from tripod import names


def test_a_user_secret_is_named_after_prefix_provider_and_id() -> None:
    assert names.user_secret("tripod", "x", "2244994945") == "tripod/user/x/2244994945"
    assert names.user_secret("tripod", "flickr", "12037949754@N01") == "tripod/user/flickr/12037949754@N01"


def test_characters_that_secrets_manager_refuses_are_percent_encoded_with_equals_signs() -> None:
    assert names.user_secret("t", "wiki", "Jos é/..=~") == "t/user/wiki/Jos=20=C3=A9=2F..=3D=7E"


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_no_two_users_share_a_secret_and_none_leaves_its_folder(one: str, other: str) -> None:
    first, second = names.user_secret("t", "x", one), names.user_secret("t", "x", other)
    assert (first == second) == (one == other)
    assert re.fullmatch(r"t/user/x/[A-Za-z0-9_.@+=-]+", first)


def test_provider_names_are_short_lower_case_and_plain() -> None:
    assert names.is_provider("x")
    assert names.is_provider("my-provider-2")
    assert not any(names.is_provider(name) for name in ("", "X", "a/b", "a" * 33, "x\n", "é", "a_b"))


def test_a_users_id_is_text_or_an_integer() -> None:
    assert [names.user_id_text(user_id) for user_id in ("12@N01", "", 0, 2**64)] == ["12@N01", "", "0", "18446744073709551616"]
