"""``tripod consumer``: the app's key and secret are set, shown and listed, and none is printed."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from sandbox.world import Sandbox
from tests.support.command import Ran, tripod
from tripod.credentials import STORES

KEY, SECRET = "k3yOfTheAppAtTheProvider", "s3cretOfTheAppAtTheProvider"
PAIR = {"consumer_key": KEY, "consumer_secret": SECRET}
GIVEN = json.dumps(PAIR)


def stored(sandbox: Sandbox, name: str) -> dict[str, Any]:
    answer = sandbox.client("secretsmanager").get_secret_value(SecretId=f"tripod/consumer/{name}")
    return dict(json.loads(answer["SecretString"]))


def set_(sandbox: Sandbox, name: str, *arguments: str, typed: str | bytes = GIVEN, **settings: Any) -> Ran:
    ran = tripod(sandbox, "consumer", "set", name, *arguments, typed=typed, **settings)
    assert KEY not in ran.out + ran.err
    assert SECRET not in ran.out + ran.err
    return ran


def test_a_person_types_both_and_is_told_what_to_register(sandbox: Sandbox, unique: str) -> None:
    ran = set_(sandbox, unique, "--like", "flickr", typed=f" {KEY}\n“{SECRET}”\n", terminal=True)
    assert (ran.exit_code, stored(sandbox, unique)) == (0, PAIR | {"provider": "flickr"})
    assert f"tripod/consumer/{unique} is created." in ran.out
    assert f"  {sandbox.api}/oauth/{unique}/callback\n" in ran.out
    assert "flickr.com/services/apps/create" in ran.out
    assert "around the consumer secret are cut off" in ran.err


def test_a_provider_that_the_json_and_the_option_say_otherwise_is_refused(sandbox: Sandbox, unique: str) -> None:
    both = set_(sandbox, unique, "--like", "flickr", typed=json.dumps(PAIR | {"provider": "zaim"}))
    assert (both.exit_code, '"provider" in the JSON is another' in both.err) == (2, True)
    assert set_(sandbox, unique, "--like", "flickr", typed=json.dumps(PAIR | {"provider": "flickr"})).exit_code == 0


def test_a_blank_within_and_a_stack_without_an_address_are_told(sandbox: Sandbox, unique: str) -> None:
    ran = set_(sandbox, unique, "--like", "flickr", typed=json.dumps(PAIR | {"consumer_key": "cut\u200bin two"}))
    assert (ran.exit_code, "consumer key has a blank" in ran.err, "consumer secret has" in ran.err) == (0, True, False)
    sandbox.client("secretsmanager").create_secret(Name=f"none{unique}/consumer/flickr", SecretString=GIVEN)
    shown = tripod(sandbox, "consumer", "show", "flickr", "--prefix", f"none{unique}")
    assert "there is no callback URL yet" in shown.err


def test_keys_are_rotated_and_everything_else_stays(sandbox: Sandbox, unique: str) -> None:
    set_(sandbox, unique, "--like", "usos", "--site", "https://usosapi.example.edu", "--store", "none")
    before = stored(sandbox, unique)
    assert before == PAIR | {"store": "none", "provider": {"like": "usos", "site": "https://usosapi.example.edu"}}
    ran = set_(sandbox, unique, "--json", typed='\ufeff{"consumer_key": "another\\n", "consumer_secret": "pair"}')
    assert stored(sandbox, unique) == before | {"consumer_key": "another", "consumer_secret": "pair"}
    (told,) = ran.rows
    assert (told["outcome"], told["trimmed"]) == ("changed", ["consumer_key"])
    assert told["callback_url"] == f"{sandbox.api}/oauth/{unique}/callback"
    options = set_(sandbox, unique, "--store", "table", "--site", "https://usosapi.example.com", "--json", typed="")
    assert options.rows[0]["outcome"] == "changed"
    assert stored(sandbox, unique)["consumer_key"] == "another"
    assert stored(sandbox, unique)["store"] == "table"
    assert stored(sandbox, unique)["provider"]["site"] == "https://usosapi.example.com"
    assert set_(sandbox, unique, "--store", "table", "--json").rows[0]["outcome"] == "unchanged"


def changed(client: Any, name: str) -> None:
    client.put_secret_value(SecretId=name, SecretString=json.dumps(PAIR | {"provider": "flickr", "store": "table"}))


def deleted(client: Any, name: str) -> None:
    client.delete_secret(SecretId=name)


def made(client: Any, name: str) -> None:
    client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    client.create_secret(Name=name, SecretString=json.dumps({"consumer_key": "another", "consumer_secret": "pair"}))


@pytest.mark.parametrize("change", [changed, deleted, made])
def test_what_others_have_changed_while_a_person_types_is_not_undone(
    sandbox: Sandbox, unique: str, change: Callable[[Any, str], None]
) -> None:
    set_(sandbox, unique, "--like", "flickr")
    client, name, after = sandbox.client("secretsmanager"), f"tripod/consumer/{unique}", []

    def meanwhile() -> None:
        change(client, name)
        after.append(client.describe_secret(SecretId=name))

    ran = set_(sandbox, unique, typed="new-key\nnew-secret\n", terminal=True, meanwhile=meanwhile)
    assert (ran.exit_code, ran.out) == (1, ""), ran.err
    assert f"nothing is stored: {name} was changed" in ran.err
    assert "run it again" in ran.err
    for seen in (*after, now := client.describe_secret(SecretId=name)):
        del seen["ResponseMetadata"]
    assert [now] == after


def test_a_secret_that_others_have_made_while_a_person_types_is_not_written_over(sandbox: Sandbox, unique: str) -> None:
    client, typed = sandbox.client("secretsmanager"), "new-key\nnew-secret\n"

    def meanwhile() -> None:
        client.create_secret(Name=f"tripod/consumer/{unique}", SecretString=GIVEN)

    ran = set_(sandbox, unique, "--like", "flickr", typed=typed, terminal=True, meanwhile=meanwhile)
    assert (ran.exit_code, "run it again" in ran.err, stored(sandbox, unique)) == (1, True, PAIR)


# Readers look into the table where it is "table" or "moving", and in Secrets Manager everywhere.
LOSING = {
    *(("table", "secrets-manager"), ("moving", "secrets-manager"), ("table", "none"), ("moving", "none")),
    ("secrets-manager", "table"),  # a reader that has "secrets-manager" cached looks into Secrets Manager alone
}


def test_each_change_of_the_store_that_loses_users_is_asked_about_and_no_other(sandbox: Sandbox, unique: str) -> None:
    set_(sandbox, unique, "--like", "flickr")
    client, name, asked = sandbox.client("secretsmanager"), f"tripod/consumer/{unique}", set()
    for was, store in product(STORES, STORES):
        client.put_secret_value(SecretId=name, SecretString=json.dumps(PAIR | {"provider": "flickr", "store": was}))
        ran = set_(sandbox, unique, "--store", store, typed="")
        if "--yes says so" in ran.err:
            asked.add((was, store))
        assert stored(sandbox, unique)["store"] == (was if ran.exit_code else store)
    assert asked == LOSING


def test_a_change_of_the_store_that_readers_could_miss_is_asked_about(sandbox: Sandbox, unique: str) -> None:
    set_(sandbox, unique, "--like", "flickr")
    refused = set_(sandbox, unique, "--store", "table", typed="n\n", terminal=True)
    assert refused.exit_code == 1
    assert "set moving first" in refused.err
    assert "store" not in stored(sandbox, unique)
    for store in ("moving", "table"):
        assert set_(sandbox, unique, "--store", store, typed="").exit_code == 0


def test_a_deleted_secret_is_restored_once_the_operator_says_yes(sandbox: Sandbox, unique: str) -> None:
    set_(sandbox, unique, "--like", "flickr", "--store", "none")
    sandbox.client("secretsmanager").delete_secret(SecretId=f"tripod/consumer/{unique}")
    (row,) = [row for row in tripod(sandbox, "consumer", "list", "--json").rows if row["provider"] == unique]
    assert row["state"].startswith("deleted at 20")
    shown = tripod(sandbox, "consumer", "show", unique)
    assert shown.exit_code == 1
    assert "restores it" in shown.err
    asked = set_(sandbox, unique, "--like", "zaim", typed=f"{KEY}\n{SECRET}\nn\n", terminal=True)
    assert asked.exit_code == 1
    assert "was deleted at 20" in asked.err
    assert "--yes says so" in set_(sandbox, unique, "--like", "zaim").err
    assert set_(sandbox, unique, "--like", "zaim", "--yes", "--json").rows[0]["outcome"] == "restored"
    assert stored(sandbox, unique) == PAIR | {"provider": "zaim"}


def test_nothing_is_written_by_a_dry_run(sandbox: Sandbox, unique: str) -> None:
    ran = set_(sandbox, unique, "--like", "flickr", "--dry-run", "--json")
    assert (ran.exit_code, ran.rows[0]["would"]) == (0, "created")
    assert tripod(sandbox, "consumer", "show", unique).exit_code == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("consumer_key=1", "standard input: it is not JSON"),
        (json.dumps({KEY: SECRET}), "their names look like values"),
        (json.dumps(PAIR | {"provider": {"request_token_url": "http://a"}}), "authorize_url is missing"),
        (json.dumps({"consumer_key": KEY, "consumer_secret": KEY, "provider": "flickr"}), "pasted twice"),
    ],
)
def test_what_could_not_sign_anybody_in_is_not_stored(sandbox: Sandbox, unique: str, content: str, said: str) -> None:
    ran = set_(sandbox, unique, typed=content)
    assert (ran.exit_code, ran.out) == (1, "")
    assert said in ran.err
    client = sandbox.client("secretsmanager")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_secret(SecretId=f"tripod/consumer/{unique}")


def test_a_name_that_is_none_is_refused(sandbox: Sandbox) -> None:
    assert set_(sandbox, "X").exit_code == 2


def test_a_file_of_powershells_is_read(sandbox: Sandbox, unique: str, tmp_path: Any) -> None:
    (tmp_path / "consumer.json").write_bytes(GIVEN.encode("utf-16"))
    assert set_(sandbox, unique, "--like", "zaim", "--from-file", str(tmp_path / "consumer.json"), typed="").exit_code == 0
    assert stored(sandbox, unique)["consumer_key"] == KEY
    assert set_(sandbox, unique, "--from-file", str(tmp_path / "none")).exit_code == 2


def test_a_secret_that_holds_no_json_is_replaced_and_told_of(sandbox: Sandbox, unique: str) -> None:
    sandbox.client("secretsmanager").create_secret(Name=f"tripod/consumer/{unique}", SecretString=f"{KEY} {SECRET}")
    listed = tripod(sandbox, "consumer", "list")
    assert listed.exit_code == 1
    assert "it is not JSON" in listed.out
    assert SECRET not in listed.out
    ran = set_(sandbox, unique, "--like", "flickr")
    assert ran.exit_code == 0
    assert "replaced as a whole" in ran.err


def test_a_secret_without_a_value_is_listed_and_given_one(sandbox: Sandbox, unique: str) -> None:
    sandbox.client("secretsmanager").create_secret(Name=f"tripod/consumer/{unique}")
    listed = tripod(sandbox, "consumer", "list", "--json")
    assert (listed.exit_code, [row["flaw"] for row in listed.rows if row["provider"] == unique]) == (1, ["it has no value"])
    shown = tripod(sandbox, "consumer", "show", unique)
    assert (shown.exit_code, "it has no value" in shown.out, "mends it" in shown.err) == (1, True, True)
    ran = set_(sandbox, unique, "--like", "flickr")
    assert (ran.exit_code, "replaced as a whole: it has no value" in ran.err) == (0, True)
    assert stored(sandbox, unique) == PAIR | {"provider": "flickr"}


def test_a_secret_that_nobody_can_decrypt_is_listed_and_replaced(sandbox: Sandbox, unique: str) -> None:
    kms = sandbox.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    set_(sandbox, unique, "--like", "flickr", "--kms-key-id", key)
    kms.disable_key(KeyId=key)
    flaw = "it can't be decrypted (DecryptionFailure): is its KMS key enabled?"
    listed = tripod(sandbox, "consumer", "list", "--json")
    assert (listed.exit_code, [row["flaw"] for row in listed.rows if row["provider"] == unique]) == (1, [flaw])
    assert "UpdateSecret (EncryptionFailure)" in set_(sandbox, unique, "--like", "zaim").err
    ran = set_(sandbox, unique, "--like", "zaim", "--kms-key-id", sandbox.token_key)
    assert (ran.exit_code, "replaced as a whole" in ran.err) == (0, True)
    assert stored(sandbox, unique) == PAIR | {"provider": "zaim"}


def test_a_secret_that_the_operator_may_not_read_is_not_replaced(sandbox: Sandbox, unique: str) -> None:
    set_(sandbox, unique, "--like", "flickr")
    sandbox.aws_server.fault("secretsmanager", "GetSecretValue", "denied", match=unique)
    ran = set_(sandbox, unique, "--like", "zaim")
    assert (ran.exit_code, "may not do this: GetSecretValue" in ran.err) == (3, True)
    assert stored(sandbox, unique)["provider"] == "flickr"


def test_a_stack_that_is_not_deployed_yet_has_its_secret_all_the_same(sandbox: Sandbox, unique: str) -> None:
    ran = set_(sandbox, "x", "--prefix", unique)
    assert ran.exit_code == 0
    assert "not deployed yet" in ran.out
    assert f"consumer show x --prefix {unique}" in ran.out
    (row,) = tripod(sandbox, "consumer", "show", "x", "--prefix", unique, "--json").rows
    assert (row["definition"], row["callback_url"], row["name"]) == ("x", None, "X")
    assert row["consumer_key"] == "…ider"
    assert SECRET not in json.dumps(row)


def test_what_aws_refuses_is_a_sentence(sandbox: Sandbox, unique: str) -> None:
    sandbox.aws_server.fault("secretsmanager", "CreateSecret", "denied", match=unique)
    ran = set_(sandbox, unique, "--like", "flickr")
    assert ran.exit_code == 3
    assert "may not do this: CreateSecret" in ran.err


def test_the_stacks_own_answers_are_not_needed(sandbox: Sandbox, unique: str) -> None:
    fault = sandbox.aws_server.fault("ssm", "GetParameter", "denied", match="/tripod/api-url")
    ran = set_(sandbox, unique, "--like", "flickr")
    assert ran.exit_code == 0
    assert "your credentials may not: GetParameter" in ran.err
    assert fault is not None


def test_a_key_that_the_stack_may_not_use_is_told(sandbox: Sandbox, unique: str) -> None:
    ran = set_(sandbox, unique, "--like", "flickr", "--kms-key-id", sandbox.token_key)
    assert ran.exit_code == 0
    assert "KmsKeyArn alone" in ran.err
    (row,) = tripod(sandbox, "consumer", "show", unique, "--json").rows
    assert row["kms_key"] == sandbox.token_key


def test_the_stacks_own_key_may_be_named_in_each_way(sandbox: Sandbox, unique: str) -> None:
    kms, relay = sandbox.client("kms"), f"{sandbox.prefix}-relay"
    kms.create_alias(AliasName=f"alias/{unique}", TargetKeyId=sandbox.token_key)
    kms.create_alias(AliasName=f"alias/{unique}-other", TargetKeyId=(other := kms.create_key()["KeyMetadata"])["KeyId"])

    def told(key: str) -> str:
        return set_(sandbox, unique, "--like", "flickr", "--kms-key-id", key, "--dry-run").err

    sandbox.functions.reconfigure(relay, {"TRIPOD_KMS_KEY": sandbox.token_key})
    try:
        arn = sandbox.token_key.rpartition(":")[0]
        for key in (sandbox.token_key, sandbox.token_key.rpartition("/")[2], f"alias/{unique}", f"{arn}:alias/{unique}"):
            assert told(key) == ""
        for key in (other["KeyId"], other["Arn"], f"alias/{unique}-other"):
            assert "nobody can sign in until" in told(key)
        sandbox.aws_server.fault("kms", "DescribeKey", "denied", match=unique)
        unknown = told(f"alias/{unique}")
    finally:
        sandbox.functions.reconfigure(relay, {"TRIPOD_KMS_KEY": ""})
    assert f"if alias/{unique} is another, nobody can sign in" in unknown
    assert told("alias/aws/secretsmanager") == ""


def test_what_is_below_a_providers_name_is_no_provider(sandbox: Sandbox, unique: str) -> None:
    client = sandbox.client("secretsmanager")
    for name in (f"{unique}/backup", f"other/{unique}", f"Old_{unique}"):
        client.create_secret(Name=f"tripod/consumer/{name}", SecretString=GIVEN)
    listed = tripod(sandbox, "consumer", "list", "--json")
    assert [row["provider"] for row in listed.rows if unique in row["provider"] or row["provider"] == "backup"] == []
    begun = {"_TRIPOD_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    assert tripod(sandbox, environ={**begun, "COMP_WORDS": f"tripod consumer show {unique[:9]}"}).out.strip() == ""


def test_names_are_completed(sandbox: Sandbox, unique: str) -> None:
    set_(sandbox, unique, "--like", "flickr")
    begun = {"_TRIPOD_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    words = {"set": "tripod consumer set fli", "show": f"tripod consumer show {unique[:9]}"}
    offered = {word: tripod(sandbox, environ={**begun, "COMP_WORDS": line}).out for word, line in words.items()}
    assert offered["set"] == "plain,flickr\n"
    for command in ("import", "export", "move"):
        line = f"tripod {command} {unique[:9]}"
        assert f"plain,{unique}\n" in tripod(sandbox, environ={**begun, "COMP_CWORD": "2", "COMP_WORDS": line}).out
    assert f"plain,{unique}\n" in offered["show"]
