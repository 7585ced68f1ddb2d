"""This process under one of the stack's policies for other Lambdas."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

import tripod
from sandbox.aws.credentials import SESSION_PREFIX
from sandbox.aws.iam import Policy
from sandbox.world import Sandbox
from tests.support.reading import reading


@contextmanager
def role(world: Sandbox, policy: str) -> Iterator[Policy]:
    """Let this process read and invoke with one policy of the stack and nothing else."""
    document = world.template.resources("AWS::IAM::ManagedPolicy")[policy]["PolicyDocument"]
    world.aws_server.roles[policy] = Policy([document])
    with reading(world), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SESSION_TOKEN", SESSION_PREFIX + policy)
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that it found first
        tripod.process.forget()
        yield world.aws_server.roles[policy]
