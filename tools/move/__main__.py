"""``python -m tools.move [USERS]``: move so many there and back, 10,000 by default, and print the figures."""

import os
import sys

from sandbox.world import Sandbox
from tests.support.sandbox_app import PARAMETERS, QUICK
from tools.move import proof

os.environ["POWERTOOLS_METRICS_NAMESPACE"] = "Tripod"  # as in Lambda: a hundred counts are written out at once
os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"
with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as sandbox:
    came = proof.run(sandbox, int((sys.argv[1:] or ["10000"])[0]), say=lambda text: print(text, flush=True))
print(f"{came.users} users moved there and back in {came.seconds:.0f} s, the move killed and resumed {came.killed} times")
print(f"{came.reads} reads, {came.failed.total()} failed, {came.older} got an older token; {came.sign_ins} sign-ins meanwhile")
print(f"{came.left} users are not where they should be; results: {dict(sorted(came.results.items()))}")
for reason, times in came.failed.items():
    print(f"{times} times {reason}")
sys.exit(not came.holds)
