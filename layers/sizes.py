"""The size of each layer and function as built, for `make build` to print: unzipped, and zipped as SAM does for the upload."""

import io
import sys
import zipfile
from pathlib import Path


def sizes(folder: Path) -> tuple[int, int]:
    """Return a folder's bytes, unzipped and zipped."""
    archive, unzipped = io.BytesIO(), 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                unzipped += path.stat().st_size
                zipped.write(path, path.relative_to(folder))
    return unzipped, archive.tell()


def table(build: Path) -> str:
    """Return the table of everything in a build folder, in kB of 1000 bytes."""
    folders = sorted(folder for folder in build.iterdir() if folder.is_dir())
    measured = [(folder.name, *sizes(folder)) for folder in folders]
    total = ("together", sum(row[1] for row in measured), sum(row[2] for row in measured))
    lines = [f"{'':20}{'unzipped kB':>12}{'zipped kB':>12}"]
    lines += [f"{name:20}{unzipped / 1000:12.1f}{zipped / 1000:12.1f}" for name, unzipped, zipped in (*measured, total)]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(Path(sys.argv[1])))
