"""Where things are in this repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
TOOLS = ROOT / ".tools"  # what `make build` installs
BUILT = ROOT / ".aws-sam" / "build"  # what `make build` makes
