"""What the operator's credentials must allow: a look that AWS refuses becomes a finding that names the action."""

import re

from botocore.exceptions import ClientError

from tripod_cli import failure
from tripod_cli.doctor.finding import Finding, unknown

# By the operation of AWS's API; where the answer itself names the action, that one counts.
ACTIONS = {
    "GetFunctionConfiguration": "lambda:GetFunctionConfiguration",
    "GetParameter": "ssm:GetParameter",
    "DescribeEventBus": "events:DescribeEventBus",
    "DescribeTable": "dynamodb:DescribeTable",
    "DescribeTimeToLive": "dynamodb:DescribeTimeToLive",
    "DescribeContinuousBackups": "dynamodb:DescribeContinuousBackups",
    "GetItem": "dynamodb:GetItem",
    "Query": "dynamodb:Query",
    "ListSecrets": "secretsmanager:ListSecrets",
    "DescribeSecret": "secretsmanager:DescribeSecret",
    "GetSecretValue": "secretsmanager:GetSecretValue",
    "DescribeKey": "kms:DescribeKey",
    "GetKeyRotationStatus": "kms:GetKeyRotationStatus",
    "GetQueueUrl": "sqs:GetQueueUrl",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "DescribeAlarms": "cloudwatch:DescribeAlarms",
    "GetDomainName": "apigateway:GET",
    "GetApiMappings": "apigateway:GET",
}
POLICY = "docs/command.md#doctor has the whole policy"


def not_allowed(looked_at: str, error: ClientError) -> Finding:
    """Return the finding of a look that AWS has refused; for want of a permission, or for another reason."""
    code, operation = error.response["Error"]["Code"], error.operation_name
    if not failure.is_denied(error):
        return unknown(looked_at, f"AWS refused to say: {operation} ({code})", "Try again in a minute")
    said = re.search(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)", error.response["Error"].get("Message", ""))
    action = said[1] if said else ACTIONS.get(operation, operation)
    if "Access to KMS" in error.response["Error"].get("Message", ""):
        action = "kms:Decrypt"  # of a secret under a key of your own
    return unknown(looked_at, f"your credentials lack {action}", f"Have {action} allowed: {POLICY}")
