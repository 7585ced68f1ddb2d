"""The template as a launch link needs it: template.yaml, line for line, but for where the code is.

Its code lies in a bucket that is not known when a release is built, so it is a parameter: whoever verifies a release gets the same
bytes, in whatever bucket it is put. An archive's name has its content's digest, so that CloudFormation notices other code by its key, as it
does with those that ``sam deploy`` uploads.
"""

import re
from collections.abc import Callable, Mapping

CODE = re.compile(r"^      (CodeUri|ContentUri): (\S+?)/?$", re.MULTILINE)
RESOURCE = re.compile(r"^  (\w+):$", re.MULTILINE)
GROUP = """\
      - Label: {default: "This release"}
        Parameters: [CodeBucket]
"""
PARAMETER = """\
  CodeBucket:
    Type: String
    AllowedPattern: "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    ConstraintDescription: "CodeBucket: the name of an S3 bucket, without s3:// and without a path"
    Description: "The bucket in this region that holds the files of this release, below PREFIX/. Who can write there decides what the functions run: take one of your own (docs/releases.md)"
"""


def prefix(version: str) -> str:
    """Return what the keys of a release's files begin with, without the last slash."""
    return f"tripod/{version}"


def local_code(template: str) -> dict[str, str]:
    """Return the folder of each function's and layer's sources, by its logical id; each is built into a folder of that name."""
    resources = [(found.start(), found[1]) for found in RESOURCE.finditer(template)]
    return {max(each for each in resources if each[0] < found.start())[1]: found[2] for found in CODE.finditer(template)}


def packaged(template: str, version: str, archives: Mapping[str, str]) -> str:
    """Return the template of a release; ``archives`` has each archive's file name, by its source folder.

    Raises ``LookupError`` where the template isn't as expected.
    """

    def in_bucket(found: re.Match[str]) -> str:
        return f"      {found[1]}: {{Bucket: !Ref CodeBucket, Key: {prefix(version)}/{archives[found[2]]}}}"

    # What the AWS Serverless Application Repository wants to know names files beside the template, and CloudFormation has no use for it.
    text = _once(r"^  AWS::ServerlessRepo::Application:.*\n(?:    .*\n)+", "", template)
    text = _once(r'^Description: "Tripod: ', f'Description: "Tripod {version}: ', text)
    text = _once(r"^    ParameterGroups:\n", lambda found: found[0] + GROUP, text)
    text = _once(r"^Parameters:\n", lambda found: found[0] + PARAMETER.replace("PREFIX", prefix(version)), text)
    return CODE.sub(in_bucket, text)


def _once(pattern: str, new: str | Callable[[re.Match[str]], str], text: str) -> str:
    changed, times = re.subn(pattern, new, text, flags=re.MULTILINE)
    if times != 1:
        raise LookupError(f"{pattern} is {times} times in the template, not once")
    return changed
