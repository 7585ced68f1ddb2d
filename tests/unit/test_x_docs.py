"""docs/x.md tells of X's error codes as the product reads them."""

import re
from pathlib import Path

from tripod.provider_errors import Cause, read

PAGE = (Path(__file__).parents[2] / "docs" / "x.md").read_text()
ANSWERS = PAGE.partition("## What does X answer")[2].partition("### ")[0]


def cause(code: int) -> Cause:
    return read(403, f'{{"errors":[{{"code":{code},"message":""}}]}}'.encode()).cause


def test_the_page_names_every_code_that_is_recognised_and_no_other() -> None:
    listed = re.findall(r"codes? (\d+(?:(?: and |; )\d+)*)", ANSWERS)
    named = {int(code) for codes in listed for code in re.findall(r"\d+", codes)}
    assert named == {code for code in range(1000) if cause(code) is not Cause.UNKNOWN}


def test_the_page_names_every_type_of_problem_that_is_recognised() -> None:
    types = re.findall(r"type `…/([a-z0-9-]+)`", ANSWERS)
    problems = (f'{{"type":"https://api.twitter.com/2/problems/{kind}"}}'.encode() for kind in types)
    assert {read(403, problem).cause for problem in problems} == {Cause.PERMISSIONS, Cause.CLIENT_FORBIDDEN}
