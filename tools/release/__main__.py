"""``make release``: write what a release consists of into build/release/<version> (docs/releases.md)."""

import hashlib
import sys

from sandbox.repository import BUILT, ROOT
from tools.release import commit, contents


def main() -> int:
    """Write the release of what is committed; nothing else can be built again by others."""
    try:
        changed = commit.uncommitted(ROOT)
    except commit.Unanswered as error:
        print(f"A release is made of what is committed, and git doesn't say what is:\n{error}")
        return 1
    if changed:
        print(f"A release is made of what is committed, and this is not:\n{changed}")
        return 1
    folder = contents.write(BUILT, ROOT / "build/release")
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size / 1000:9.1f} kB  {path.name}")
    digest = hashlib.sha256((folder / contents.SUMS).read_bytes()).hexdigest()
    print(f"{folder.relative_to(ROOT)}: the digest of {contents.SUMS} is {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
