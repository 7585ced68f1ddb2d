"""``tripod doctor`` on a stack that is well, on stacks that are not, and on apps that are set up wrong, each in its way.

docs/troubleshooting.md is held to it: each line that the page quotes is printed.
"""

import json
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import trustme
from botocore.exceptions import ClientError

from sandbox.aws.credentials import SESSION_PREFIX
from sandbox.aws.iam import Policy
from sandbox.repository import TEMPLATE
from sandbox.world import Sandbox
from tests.support import tls, wrong_setups
from tests.support.command import Ran, operator, printed, tripod
from tests.support.sandbox_app import QUICK
from tripod_cli.doctor import address, consumer_secret, credentials, keys, outbox, sign_in
from tripod_cli.failure import Failure
from tripod_cli.stack import Stack

DOCS = TEMPLATE.parent / "docs"
ADDRESS = "https://sign-in.example.com"  # in place of the sandbox's, on the page
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
READS = re.compile(r"(Get|Describe|List|Query)|GET /")
DAY = 86_400.0  # seconds

# The sections of docs/troubleshooting.md, and what is wrong where doctor prints their lines.
SECTIONS = {
    'The page says "This link is not right"': ["no secret", "deleted", "no name"],
    'The page says "Not set up yet"': [
        *("without a value", "empty", "key alone", "typographic quotes", "single quotes", "trailing comma", "no brace"),
        *("other names", "unknown provider", "no site", "not described"),
    ],
    'The consumer secret says `"store": "table"`, and there is no key': ["without TokenKey"],
    "403, Callback URL not approved (415)": ["callback not registered"],
    "401, Desktop applications only support oob (417)": ["no callback at all"],
    "401, Could not authenticate you (32)": [
        *("wrong keys", "client id", "access token", "bearer token", "key twice", "quotes around", "blank within"),
        *("blank", "line end", "byte order mark", "zero width", "byte order mark before it all"),
    ],
    "401, Timestamp out of bounds (135)": ["clock off", "machine's clock"],
    "The provider refuses the app for another reason": ["suspended", "no credits", "not confirmed", "no page of its own"],
    "The page says that the provider can't be reached": ["down", "too often", "host not known", "nobody listens"],
    'The page says "Something went wrong"': ["under another key"],
    "return_to is not allowed": ["broken", "no return URLs"],
    "A domain name leads nowhere, or elsewhere": ["broken"],
    "Something answers, and it isn't a sign-in": ["without TokenKey", "other addresses"],
    "Nothing is in Secrets Manager after a sign-in": ["broken", "failing outbox", "well"],
    "The KMS key is disabled": ["broken", "key to be deleted"],
    "A reader raises TokenNotFound or ConsumerNotFound": ["well", "broken"],
    "A reader is denied access": [],
    "Every user's calls are answered 401": ["users refused"],
    "It has been so since a deployment": ["broken"],
    "An alarm rings": ["broken"],
    "Nobody was told": ["without TokenKey"],
    "It lacks a permission": ["denied"],
    "It has no settings": ["without relay"],
    "It finds no stack": ["no stack"],
}


def policy() -> dict[str, object]:
    """Return the policy that docs/command.md says doctor needs."""
    section = (DOCS / "command.md").read_text().partition("\n## doctor")[2].partition("\n## ")[0]
    return dict(json.loads(section.partition("```json\n")[2].partition("```")[0]))


def as_role(sandbox: Sandbox, name: str, *documents: dict[str, object]) -> dict[str, str | None]:
    """Return the environment of an operator who may do this and nothing else."""
    sandbox.aws_server.roles[name] = Policy(documents)
    return {"AWS_SESSION_TOKEN": SESSION_PREFIX + name}


# With these alone, each look that is taken is refused at its first call.
FIRST_RIGHTS: dict[str, object] = {
    "Statement": [{"Effect": "Allow", "Action": ["lambda:GetFunctionConfiguration", "ssm:GetParameter"], "Resource": "*"}]
}
# What is asked for only once another call was allowed.
LATER = {"dynamodb:GetItem", "secretsmanager:ListSecrets", "sqs:GetQueueAttributes"}


def at_other_addresses(sandbox: Sandbox, stack: Stack, folder: Path) -> list[str]:
    """Return what is said where something else answers than the API, by its own name in the end."""
    said = []
    ca = trustme.CA()
    bundle = folder / "bundle.pem"
    ca.cert_pem.write_to_path(bundle)
    ending = tls.Certificate(ca.issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=3, hours=1)), bundle)
    port = int(sandbox.api.rpartition(":")[2])
    with tls.Front(port, ending) as front:
        for url in (f"{sandbox.api}/elsewhere", sandbox.provider, front.url):
            wrong_setups.put_address(sandbox, url)
            said += [line.replace(url, ADDRESS) for line in printed(address.api(stack))]
        trusting = ssl.create_default_context(cafile=str(bundle))
        found = address.certificate("localhost", int(front.url.rpartition(":")[2]), time.time(), trusting)
        said += [line.replace("localhost", "sign-in.example.com") for line in printed(found)]
    wrong_setups.put_address(sandbox, sandbox.api)
    return said


@dataclass
class Runs:
    """What doctor said, by what was wrong: its lines, an app's provider called x; and the runs of the whole command."""

    sandbox: Sandbox
    role: Policy
    lines: dict[str, list[str]] = field(default_factory=dict)
    ran: dict[str, Ran] = field(default_factory=dict)

    def keep(self, what: str, ran: Ran, provider: str = "x") -> None:
        self.ran[what] = ran
        lines = [*ran.out.splitlines(), *ran.err.splitlines()]
        self.lines[what] = [line.replace(self.sandbox.api, ADDRESS).replace(provider, "x") for line in lines]

    def keep_apps(self, ran: Ran, providers: dict[str, str]) -> None:
        """Keep of one run what it said of each app."""
        self.ran["apps"] = ran
        for what, provider in providers.items():
            said = self.lines[what] = []
            mine = False
            for line in ran.out.splitlines():
                mine = mine if line.startswith(" ") else provider in line
                if mine:
                    said.append(line.replace(provider, "x" if what != "no name" else provider).replace(self.sandbox.api, ADDRESS))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    parameters = {"TokenKey": "on", "AlarmTopicArn": TOPIC, "AllowedReturnUrls": "https://app.example/signed-in"}
    with Sandbox(parameters=parameters, settings=QUICK, streams=False) as sandbox, ExitStack() as open_:
        allowed = as_role(sandbox, "operator", policy())
        runs = Runs(sandbox, sandbox.aws_server.roles["operator"])
        sandbox.client("secretsmanager").create_secret(Name="tripod/consumer/x/backup")  # no provider's
        runs.keep("well", tripod(sandbox, "doctor", environ=allowed))
        providers = {what: make(sandbox) for what, make in wrong_setups.OF_AN_APP.items()}
        providers["clock off"] = open_.enter_context(wrong_setups.clock_ahead(sandbox, wrong_setups.HOUR))
        named = [word for provider in providers.values() for word in ("--provider", provider)]
        runs.keep_apps(tripod(sandbox, "doctor", *named, environ=allowed), providers)
        with operator(sandbox) as stack:
            runs.lines["machine's clock"] = printed(credentials.look(stack, now=lambda: time.time() - wrong_setups.HOUR))
            runs.lines["other addresses"] = at_other_addresses(sandbox, stack, tmp_path_factory.mktemp("tls"))
            wrong_setups.owe(sandbox, due=time.time() + DAY, tries=3)
            runs.lines["failing outbox"] = printed(outbox.look(stack))

        wrong_setups.break_stack(sandbox)
        runs.keep("broken", tripod(sandbox, "doctor", "--provider", "x", environ=allowed))
        nothing, some = as_role(sandbox, "nobody"), as_role(sandbox, "somebody", FIRST_RIGHTS)
        for what, rights in (("nothing allowed", nothing), ("denied", some)):
            runs.keep(what, tripod(sandbox, "doctor", "--provider", "x", environ=rights))
        runs.keep("denied, as JSON", tripod(sandbox, "--json", "doctor", "--no-sign-in", "--provider", "x", environ=some))

        sandbox.client("kms").schedule_key_deletion(KeyId=sandbox.token_key, PendingWindowInDays=7)
        with operator(sandbox) as stack:
            runs.lines["key to be deleted"] = printed(keys.look(stack))
        wrong_setups.put_address(sandbox, sandbox.api)
        for alarm in sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"]:
            sandbox.client("cloudwatch").disable_alarm_actions(AlarmNames=[alarm["AlarmName"]])
        wants = wrong_setups.without_key(sandbox)
        runs.keep("without TokenKey", tripod(sandbox, "doctor", "--provider", wants), wants)
        sandbox.functions.reconfigure(f"{sandbox.prefix}-start", {"TRIPOD_RETURN_URLS": ""})
        sandbox.functions.take_away(f"{sandbox.prefix}-relay")
        runs.keep("without relay", tripod(sandbox, "doctor"))
        runs.lines["no return URLs"] = runs.lines["without relay"]
        runs.keep("no stack", tripod(sandbox, "doctor", "--prefix", "none"))
        yield runs


def is_printed(line: str, lines: list[str]) -> bool:
    """Return True if a line was printed; ``…`` in it stands for anything."""
    pattern = ".*".join(map(re.escape, line.split("…")))
    return any(re.fullmatch(pattern, each) for each in lines)


def sections(page: str) -> dict[str, list[str]]:
    """Return the lines that each section of a page quotes, by its heading; of those without, too."""
    found = {}
    for section in re.split(r"^### ", (DOCS / page).read_text().partition("\n## ")[2], flags=re.M)[1:]:
        heading, _, text = section.partition("\n")
        blocks = re.findall(r"^```console\n(.*?)^```", text.partition("\n## ")[0], re.M | re.S)
        found[heading] = [line for block in blocks for line in block.splitlines()]
    return found


def test_a_stack_that_is_well_is_said_to_be(runs: Runs) -> None:
    well = runs.ran["well"]
    assert well.exit_code == 0, well.out
    *lines, last = well.out.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert last == f"{len(lines)} findings: all is well"
    assert f"ok       callback URL to register at x: {runs.sandbox.api}/oauth/x/callback" in lines
    assert "ok       whom alarms tell: alarms" in lines


@pytest.mark.parametrize("heading", SECTIONS)
def test_each_line_of_the_page_is_printed_where_that_is_wrong(runs: Runs, heading: str) -> None:
    quoted = sections("troubleshooting.md")[heading]
    lines = [line for what in SECTIONS[heading] for line in runs.lines[what]]
    assert [line for line in quoted if not is_printed(line, lines)] == [], "\n".join(lines)


def test_each_section_of_the_page_and_each_wrong_set_up_is_tried(runs: Runs) -> None:
    assert sections("troubleshooting.md").keys() == SECTIONS.keys()
    assert runs.lines.keys() - {what for each in SECTIONS.values() for what in each} == {"nothing allowed", "denied, as JSON"}


def test_each_wrong_app_is_named_and_no_other(runs: Runs) -> None:
    for what, lines in runs.lines.items():
        if what in wrong_setups.OF_AN_APP:
            assert [line for line in lines if re.match("wrong|warning|unknown", line)], what
    assert all(not line.startswith(("wrong", "warning", "unknown")) for line in runs.ran["well"].out.splitlines())


def test_each_wrong_line_says_what_to_do(runs: Runs) -> None:
    for ran in runs.ran.values():
        if ran.out.startswith("{"):
            continue
        lines = ran.out.splitlines()
        for line, below in pairwise(lines):
            assert line.startswith(("ok ", "   ")) or below.startswith("         → "), line


def test_the_exit_code_is_0_only_where_all_is_well(runs: Runs) -> None:
    codes = {what: ran.exit_code for what, ran in runs.ran.items()}
    assert codes.pop("well") == 0
    assert codes.pop("no stack") == 3
    assert set(codes.values()) == {1}
    verdicts = {line[:7].strip() for line in runs.ran["nothing allowed"].out.splitlines()[:-1]} - {""}
    assert verdicts == {"ok", "unknown"}


def test_no_look_changes_anything(runs: Runs) -> None:
    asked = {call.operation for call in runs.sandbox.aws_server.calls if call.caller == "operator"}
    assert asked
    assert [operation for operation in asked if not READS.match(operation)] == []


def test_no_secret_is_printed(runs: Runs) -> None:
    printed_lines = "".join(ran.out + ran.err for ran in runs.ran.values())
    issued = (*runs.sandbox.provider_server.issued(), "t0ken-never-shown", wrong_setups.CLIENT_ID)
    assert [secret for secret in issued if secret in printed_lines] == []


def test_the_tokens_in_the_outbox_are_not_read(runs: Runs) -> None:
    looked = [
        call.parameters for call in runs.sandbox.aws_server.calls if (call.caller, call.operation) == ("operator", "GetItem")
    ]
    assert looked
    for parameters in looked:
        assert {one for one in parameters["ProjectionExpression"].split(", ") if "token" in one} == {
            "pending_tokens.consumer_key"
        }


def test_the_documented_policy_is_what_it_needs_and_no_more(runs: Runs) -> None:
    lacking = [line for what in ("well", "apps", "broken") for line in runs.ran[what].out.splitlines() if "lack" in line]
    assert all("kms:Decrypt" in line for line in lacking)  # of a secret under a key that is not the stack's
    used = [check for call in runs.sandbox.aws_server.calls if call.caller == "operator" for check in call.needed]
    unused = {part.action for part in runs.role.unused(used)}
    assert unused == {"lambda:GetFunctionConfiguration"}  # the sandbox's Lambda asks the role, and does not note it


def test_it_says_which_permission_it_lacks(runs: Runs) -> None:
    said = "\n".join(runs.ran[what].out for what in ("nothing allowed", "denied"))
    named = set(re.findall(r"your credentials lack (\S+?):? ?(?:$|the)", said, re.M))
    statements = runs.role.statements
    documented = {action for statement in statements for action in statement.actions}
    assert documented - named == LATER
    assert named <= documented


def test_json_has_an_object_for_each_finding(runs: Runs) -> None:
    rows = runs.ran["denied, as JSON"].rows
    assert all(row.keys() == {"looked_at", "found", "verdict", "to_do"} for row in rows)
    (alarms,) = [row for row in rows if row["looked_at"] == "alarms"]
    assert alarms["verdict"] == "unknown"
    assert "cloudwatch:DescribeAlarms" in alarms["to_do"]
    assert not any(row["looked_at"].startswith(("leg 1", "clock of")) for row in rows)  # --no-sign-in


def test_without_a_network_it_ends_with_a_sentence(runs: Runs) -> None:
    ran = tripod(runs.sandbox, "doctor", environ={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert (ran.exit_code, ran.out) == (3, "")
    assert "AWS can't be reached" in ran.err


def test_a_clock_for_which_aws_refuses_every_call_is_named(runs: Runs) -> None:
    runs.sandbox.aws_server.fault("sts", "GetCallerIdentity", "denied")
    with operator(runs.sandbox) as stack:
        found = credentials.look(stack, now=lambda: time.time() + wrong_setups.HOUR)
        assert next(found).found == "60 minutes ahead of AWS's"
        with pytest.raises(ClientError):
            next(found)


def test_a_domain_name_that_no_api_is_mapped_to_is_named(runs: Runs) -> None:
    client, name = runs.sandbox.client("apigatewayv2"), "mapped.example.invalid"
    client.create_domain_name(DomainName=name)
    wrong_setups.put_address(runs.sandbox, f"https://{name}")
    with operator(runs.sandbox) as stack:
        before = printed(address.domain(stack))
        api = client.create_api(Name="tripod", ProtocolType="HTTP")["ApiId"]
        client.create_api_mapping(DomainName=name, ApiId=api, Stage="$default")
        after = printed(address.domain(stack))
    assert before[0] == f"wrong    domain {name}: no API is mapped to it"
    assert after[0] == f"ok       domain {name}: mapped to the API"


def test_a_stack_without_a_consumer_secret_is_told_to_make_one(runs: Runs) -> None:
    with operator(runs.sandbox) as stack:
        assert printed([consumer_secret.none(stack)])[0] == "wrong    consumer secrets: there is none below tripod/consumer/"


def test_a_secret_whose_name_no_provider_can_have_is_looked_at_all_the_same(runs: Runs) -> None:
    runs.sandbox.client("secretsmanager").create_secret(Name="tripod/consumer/X", SecretString="{}")
    with operator(runs.sandbox) as stack:
        providers = consumer_secret.providers(stack)
    assert ("X" in providers, [name for name in providers if "backup" in name]) == (True, [])


def test_a_stack_that_does_not_say_its_address_is_told_so(runs: Runs) -> None:
    runs.sandbox.client("ssm").delete_parameter(Name="/tripod/api-url")
    with operator(runs.sandbox) as stack, pytest.raises(Failure, match="no SSM parameter /tripod/api-url"):
        list(sign_in.callback(stack, "x"))
    wrong_setups.put_address(runs.sandbox, runs.sandbox.api)
