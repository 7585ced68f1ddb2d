from docs import cost


def test_the_page_says_what_the_script_computes() -> None:
    text = cost.PAGE.read_text()
    assert cost.page(text) == text, "run `make cost`"


def test_secrets_are_what_costs() -> None:
    thousand = cost.SCENARIOS[0].parts()
    assert thousand["secrets"] == 400
    assert thousand["secrets"] > sum(amount for part, amount in thousand.items() if part not in {"secrets", "secret calls"})


def test_each_price_has_its_unit_and_page() -> None:
    assert all(price.dollars > 0 and price.unit and price.page.startswith("aws.amazon.com/") for price in cost.PRICES.values())


def test_the_readme_says_what_a_user_costs() -> None:
    one = cost.SCENARIOS[0]
    text = (cost.PAGE.parents[1] / "README.md").read_text()
    assert f"A connected user costs about ${sum(one.parts().values()) / one.users:.2f} a month" in text
