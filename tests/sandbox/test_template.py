from pathlib import Path

import pytest

from sandbox.repository import TEMPLATE
from sandbox.template.intrinsics import TemplateError
from sandbox.template.template import Template

INTRINSICS = """
Parameters:
  Prefix: {Type: String, Default: demo}
  Stage: {Type: String, Default: test}
  Count: {Type: Number, Default: 3}
  KeyArn: {Type: String, Default: ""}
Conditions:
  HasKey: !Not [!Equals [!Ref KeyArn, ""]]
  IsTest: !Equals [!Ref Stage, test]
  Both: !And [!Condition IsTest, !Not [!Condition HasKey]]
  Either: !Or [!Condition HasKey, !Condition IsTest]
Mappings:
  Sizes: {test: {memory: 256}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
  Keyed:
    Type: AWS::SSM::Parameter
    Condition: HasKey
    Properties: {Name: keyed, Value: x, Type: String}
  Values:
    Type: Custom::Values
    Properties:
      join: !Join ["-", [a, !Ref Prefix, !Ref Count]]
      sub: !Sub "${Prefix}/${Stage}/${!Literal}/${AWS::Region}/${Queue.Arn}"
      sub_with: !Sub ["${Prefix}:${Extra}", {Extra: !Select [1, !Split [",", "a,b,c"]]}]
      chosen: !If [Both, both, neither]
      other: !If [HasKey, key, !Ref "AWS::NoValue"]
      list: [one, !If [HasKey, two, !Ref "AWS::NoValue"], !If [Either, three, four]]
      mapped: !FindInMap [Sizes, !Ref Stage, memory]
      long_form: {"Fn::Sub": "${AWS::AccountId}"}
      arn: !GetAtt Queue.Arn
      statement: {Condition: {StringEquals: {a: !Ref Stage}}}
"""


@pytest.fixture
def intrinsics(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(INTRINSICS)
    return path


def test_intrinsic_functions_are_resolved(intrinsics: Path) -> None:
    values = Template(intrinsics).resources("Custom::Values")["Values"]
    assert values == {
        "join": "a-demo-3",
        "sub": "demo/test/${Literal}/us-east-1/arn:aws:sqs:us-east-1:123456789012:demo-Queue",
        "sub_with": "demo:b",
        "chosen": "both",
        "list": ["one", "three"],
        "mapped": 256,
        "long_form": "123456789012",
        "arn": "arn:aws:sqs:us-east-1:123456789012:demo-Queue",
        "statement": {"Condition": {"StringEquals": {"a": "test"}}},
    }


def test_parameters_override_defaults_and_decide_conditions(intrinsics: Path) -> None:
    template = Template(intrinsics, {"KeyArn": "arn:key", "Prefix": "other"})
    values = template.resources("Custom::Values")["Values"]
    assert (values["other"], values["list"], values["chosen"]) == ("key", ["one", "two", "three"], "neither")
    assert "Keyed" in template.resources("AWS::SSM::Parameter")
    assert template.stack == "other"


def test_a_resource_whose_condition_fails_is_not_there(intrinsics: Path) -> None:
    assert Template(intrinsics).resources("AWS::SSM::Parameter") == {}


@pytest.mark.parametrize("wrong", ["!Ref Nobody", "!GetAtt Queue.Colour", '!Sub "${Nobody.Arn}"', "!If [Nobody, a, b]"])
def test_what_the_template_does_not_have_is_an_error(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(f"Resources: {{Queue: {{Type: 'AWS::SQS::Queue'}}, X: {{Type: X, Properties: {{a: {wrong}}}}}}}")
    with pytest.raises(TemplateError):
        Template(path).resources("X")


def test_an_unknown_parameter_is_an_error(intrinsics: Path) -> None:
    with pytest.raises(TemplateError, match="Nobody"):
        Template(intrinsics, {"Nobody": "x"})


def test_a_function_has_its_globals_and_its_own(template_path: Path) -> None:
    functions = {function.logical_id: function for function in Template(template_path).functions()}
    echo = functions["Echo"]
    assert echo.name == "small-echo"
    assert echo.arn == "arn:aws:lambda:us-east-1:123456789012:function:small-echo"
    assert echo.folder == template_path.parent / "echo"
    assert (echo.timeout, echo.memory) == (20, 512)
    assert echo.environment == {"COLOUR": "green", "TABLE": "small-Items", "OWN": "yes"}
    assert [(route.key, route.iam) for route in echo.routes] == [
        ("GET /echo/{name}", False),
        ("POST /echo", False),
        ("ANY /deep/{rest+}", False),
        ("POST /signed/{user_id}", True),
    ]
    assert (functions["Act"].timeout, functions["Act"].memory) == (1, 128)


def test_tripods_own_template_gives_what_the_sandbox_needs() -> None:
    template = Template(TEMPLATE, {"AllowedReturnUrls": "https://app.example/after"})
    functions = {function.name: function for function in template.functions()}
    start = functions["tripod-start"]
    assert start.environment["TRIPOD_RETURN_URLS"] == "https://app.example/after"
    assert start.environment["TRIPOD_TABLE"] == template.tables()[0].name
    assert "GET /oauth/{provider}/start" in [route.key for route in start.routes]
    assert "GET /oauth/{provider}/callback" in [route.key for route in functions["tripod-callback"].routes]
    assert [layer.relative_to(TEMPLATE.parent).as_posix() for layer in start.layers] == ["layers/tripod", "layers/flow"]
    assert all((function.folder / "handler.py").exists() for function in functions.values())
    table = template.tables()[0]
    assert (table.ttl, table.create["StreamSpecification"]["StreamEnabled"]) == ("ttl", True)
