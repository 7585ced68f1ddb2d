"""template.yaml as CloudFormation and SAM read it, and its resources created at an AWS endpoint."""
