import re

import pytest

from docs import cost
from docs.cost import SECRETS_MANAGER, TABLE, Month

README = cost.PAGE.parents[1] / "README.md"


def test_the_page_says_what_the_script_computes() -> None:
    text = cost.PAGE.read_text()
    assert cost.page(text) == text, "run `make cost`"


def test_each_price_has_its_unit_page_and_date() -> None:
    for price in cost.PRICES.values():
        assert price.dollars > 0
        assert price.unit
        assert price.page.startswith("aws.amazon.com/")
        assert price.date.startswith("2026-")


def test_a_hundred_thousand_users_cost_at_most_a_thousand_dollars_in_the_table_and_41_500_in_secrets_manager() -> None:
    in_table, in_secrets = (cost.of_users(100_000, store, cost.QUARTER_HOURLY).total() for store in (TABLE, SECRETS_MANAGER))
    assert in_table <= 1_000
    assert round(in_secrets, -2) == 41_500
    text = " ".join(cost.PAGE.read_text().split())
    assert "100,000 connected users cost less than $1,000 a month" in text
    assert "in Secrets Manager about $41,500" in text


def test_the_pages_first_table_has_both_stores_at_each_size() -> None:
    table = cost.PAGE.read_text().split("| US dollars a month |")[1].split("\n\n")[0]
    for users in (1_000, 10_000, 100_000, 1_000_000):
        row = next(line for line in table.splitlines() if line.startswith(f"| {users:,} users |"))
        for store in (SECRETS_MANAGER, TABLE):
            for reads in (cost.QUARTER_HOURLY, cost.DAILY):
                assert f"{cost.of_users(users, store, reads).total():,.0f}" in re.findall(r"[\d,]+", row)
        assert ("over its quota" in row) == (users > 500_000)


def test_the_pages_sentences_say_what_the_script_computes() -> None:
    text = " ".join(cost.PAGE.read_text().split())
    consumer = cost.DAYS * 86_400 / cost.CACHE * cost.PRICES["secret call"].dollars
    assert f"a process that reads all the time pays ${consumer:.2f} a month for it" in text
    saved = cost.PRICES["read"].dollars / 2 / cost.of_reads(1, TABLE)
    assert saved == pytest.approx(1 / 50)
    assert "half, a fiftieth of the read" in text
    copied = cost.PRICES["event copy"].dollars
    assert [round(copied / cost.of_reads(1, store)) for store in (SECRETS_MANAGER, TABLE)] == [4, 6]
    assert "four to six times what the read itself costs" in text


def test_secrets_are_what_costs_in_secrets_manager() -> None:
    thousand = cost.of_users(1_000, SECRETS_MANAGER, cost.QUARTER_HOURLY).parts()
    assert thousand["secrets"] == 400
    assert thousand["secrets"] > sum(amount for part, amount in thousand.items() if part not in {"secrets", "secret calls"})


@pytest.mark.parametrize("reads", [cost.QUARTER_HOURLY, cost.DAILY])
def test_the_table_is_cheaper_from_the_third_user_on(reads: float) -> None:
    def dearer(users: int) -> float:
        in_table, in_secrets = (cost.of_users(users, store, reads).total() for store in (TABLE, SECRETS_MANAGER))
        return in_table - in_secrets

    assert dearer(2) > 0 > dearer(3)
    assert "from the third user on" in cost.PAGE.read_text()


def test_a_read_from_the_table_is_one_unit_and_one_decrypt() -> None:
    without, million = (Month("", 1_000, 0, reads, TABLE).parts() for reads in (0, 1_000_000))
    more = {part: million[part] - without[part] for part in without if million[part] != without[part]}
    assert more == {"KMS": pytest.approx(3.00), "DynamoDB": pytest.approx(0.125)}


def test_a_read_from_secrets_manager_is_one_call() -> None:
    without, million = (Month("", 1_000, 0, reads, SECRETS_MANAGER).parts() for reads in (0, 1_000_000))
    more = {part: million[part] - without[part] for part in without if million[part] != without[part]}
    assert more == {"secret calls": pytest.approx(5.00)}


def test_a_sign_in_into_the_table_is_one_encrypt_and_its_writes() -> None:
    without, million = (Month("", 1_000, sign_ins, 0, TABLE).parts() for sign_ins in (0, 1_000_000))
    assert million["KMS"] - without["KMS"] == pytest.approx(3.00)
    units = (million["DynamoDB"] - without["DynamoDB"] - 1e6 * cost.READS * cost.PRICES["read"].dollars) / 0.625
    assert units == pytest.approx(cost.WRITES[TABLE])
    assert cost.WRITES[TABLE] >= 1 + 1 + 2 * (2 + 2)  # start's item, the claim, a transaction of two items of 2 KB


def test_the_key_costs_a_dollar_however_many_users_there_are() -> None:
    assert cost.of_users(0, TABLE, 0).parts()["KMS"] == 1
    assert cost.of_users(0, SECRETS_MANAGER, 0).parts()["KMS"] == 0


def test_who_keeps_no_tokens_pays_for_no_store() -> None:
    parts = cost.SIGN_INS_ONLY.parts()
    assert parts["secrets"] == parts["secret calls"] == parts["KMS"] == 0
    assert sum(parts.values()) < 1_000 * cost.PRICES["secret"].dollars


def test_reads_stay_far_below_the_quotas_at_each_size() -> None:
    assert cost.per_second(1_000_000) == pytest.approx(1_111, abs=1)
    assert all(cost.per_second(users) < 0.12 * cost.LEAST_KMS_QUOTA for users in cost.SIZES)


def test_a_cache_saves_where_a_user_is_read_again_within_it() -> None:
    assert cost.uncached(900, 60) == cost.uncached(900, 300) == cost.uncached(900, 900) == 1
    assert cost.uncached(900, 3_600) == 1 / 4
    assert cost.uncached(60, 60) == 1
    assert cost.uncached(60, 300) == 1 / 5
    assert cost.uncached(60, 3_600) == 1 / 60


def test_a_cache_saves_less_where_processes_share_the_reads() -> None:
    assert cost.uncached(60, 300, processes=10) == pytest.approx(1 / 1.4)
    assert cost.uncached(60, 300, processes=10_000) == pytest.approx(1, abs=0.001)
    assert cost.uncached(900, 300, processes=10) == 1


def test_cached_data_keys_save_nearly_all_of_kms() -> None:
    for users in cost.SIZES:
        month = cost.of_users(users, TABLE, cost.QUARTER_HOURLY)
        saved = month.total() - cost.with_data_keys(month, processes=100)
        assert 0 < saved < month.parts()["KMS"]
    assert saved > 0.9 * month.total()


def test_the_readme_says_what_a_user_costs() -> None:
    in_secrets, in_table = (
        cost.of_users(10_000, store, cost.QUARTER_HOURLY).total() / 10_000 for store in (SECRETS_MANAGER, TABLE)
    )
    text = " ".join(README.read_text().split())
    assert f"A connected user costs about ${in_secrets:.2f} a month" in text
    assert f"about ${in_table:.2f} with the tokens in" in text
