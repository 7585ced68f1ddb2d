from tripod_flow import binding


def test_a_cookie_is_host_bound_secure_hidden_from_script_and_lax() -> None:
    (line,) = binding.set_cookies(binding.cookie_name("x", "token"), "1.key", {})
    name, _, attributes = line.partition("=1.key; ")
    assert name.startswith("__Host-tripod-")
    assert set(attributes.split("; ")) == {"Max-Age=3600", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"}


def test_only_the_key_that_was_given_matches() -> None:
    key = binding.new_key(1000.0)
    assert binding.matches(key, binding.digest(key))
    assert not binding.matches(binding.new_key(1000.0), binding.digest(key))
    assert not binding.matches(None, binding.digest(key))
    assert not binding.matches("", binding.digest(key))


def test_each_authorization_has_a_cookie_of_its_own() -> None:
    names = {binding.cookie_name(*pair) for pair in (("x", "a"), ("x", "b"), ("y", "a"))}
    assert len(names) == 3
    assert "token" not in binding.cookie_name("x", "token")


def test_all_but_the_newest_eight_are_expired_and_other_cookies_left_alone() -> None:
    present = {f"__Host-tripod-{number}": f"{number}.key" for number in range(1, 11)}
    present |= {"session": "1", "__Host-tripod-junk": "x" * 40}
    new, *expired = binding.set_cookies("__Host-tripod-new", "99.key", present)
    assert new.startswith("__Host-tripod-new=99.key;")
    assert {line.partition("=")[0] for line in expired} == {f"__Host-tripod-{name}" for name in ("junk", "1", "2", "3")}
    assert all("Max-Age=0" in line and "=;" in line for line in expired)
