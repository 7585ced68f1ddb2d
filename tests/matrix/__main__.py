"""``python -m tests.matrix [WORD …]``: run the cells whose act, call or fault has one of the words (all of them without).

Prints a page in Markdown; the exit code is 1 if a cell came to anything that is not written down for it, or if a call that is written
down is no longer made.
"""

import sys

from sandbox.world import Sandbox
from tests.matrix import matrix
from tests.matrix.allowed import calls
from tests.support.sandbox_app import PARAMETERS, QUICK

HEAD = """# What if a remote call fails?

Every remote call of every act was made to fail in every way below, once each, against the sandbox: real HTTP, real processes, real
conditional writes. At AWS a fault lasts for the whole first try, at the provider for one call; "killed" is a function's process killed just before the call was done, or
just after. Each cell says what the first try answered, and how things stood after the same was tried once more (a reload) and the relay
had run. What each cell may come to was written down before (`tests/matrix/allowed.py`); `make matrix` runs it all and writes this page.

- **stored**: the tokens are in Secrets Manager, they belong to whoever consented, nothing is owed, and the table shows no token.
  **sealed**: likewise, where the app has them sealed in the table. **deleted**: likewise, of a revocation.
- **refused**: it is known, and told once, that the provider no longer takes the user's tokens. **signed**: the provider takes the
  header for the user.
- **signed in**: it is known who the user is, and their tokens are kept nowhere: the app asks for no more.
- **again**: the user was told plainly to start again. **interrupted**: the same, because the answer of the exchange, or the step that
  was to keep it, was lost: the provider gives it only once.
- **no answer**: the process was killed; API Gateway tells the browser so, and a reload goes on.
"""

with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as sandbox:
    words = set(sys.argv[1:])
    cells = matrix.cells(sandbox)
    chosen = [cell for cell in cells if not words or {cell.act.name, cell.call, cell.operation, cell.fault} & words]
    results = list(matrix.run(sandbox, chosen))
print(HEAD)
for name, count in matrix.totals(results).items():
    print(f"- {name}: {count}")
print(f"\n{matrix.table(results)}")
for result in results:
    if not result.right:
        cell = result.cell
        print(
            f"not allowed: {cell.act.name}, {cell.call}, {cell.fault}: {result.first}, then {result.again} → {result.end}",
            file=sys.stderr,
        )
missing = calls() - {(cell.act.name, cell.call) for cell in cells}
for act, call in sorted(missing):
    print(f"no longer made: {act}, {call}", file=sys.stderr)
sys.exit(bool(missing) or not results or any(not result.right for result in results))
