"""``python -m tools.transfer [USERS [STORE]]``: import so many, 10,000 by default, interrupted five times, and export them."""

import os
import sys
import tempfile
from pathlib import Path

from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK
from tools.transfer import proof

os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Tripod"  # as in Lambda: a hundred counts are written out at once
users, store = int((sys.argv[1:2] or ["10000"])[0]), (sys.argv[2:] or ["secrets-manager"])[0]
with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as sandbox, tempfile.TemporaryDirectory() as folder:
    came = proof.run(sandbox, users, store, Path(folder), say=lambda text: print(text, flush=True))
print(f"{came.users} users imported into {came.store}, interrupted {came.interrupted} times; {came.stored} writes of tokens")
print(f"{came.lost} lost, {came.other} with other tokens, {came.repeated} taken again by another import of the same file")
print(f"{came.replaced} secrets with more than one content")
for name, figure in came.figures().items():
    print(f"{name}: {figure:.1f}")
sys.exit(not came.holds)
