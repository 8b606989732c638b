"""Build the documentation site: `python docs/site/build.py [--out build/site] [--plain]`.

Strict: a warning of Sphinx, a link that leads nowhere and a page that asks another host for
anything stop it. With --plain tutorials are not run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from site_check import faults
from site_layout import ROOT, lay_out


def build(out: Path, executed: bool = True) -> None:
    """Build the site into a folder.

    Raises
    ------
    SystemExit
        If Sphinx warns, a link is dead, or a page would ask another host for something.
    """
    from sphinx.cmd.build import build_main

    began = time.monotonic()
    work = out.parent / f"{out.name}-pages"
    lay_out(work, executed)
    shutil.rmtree(out, ignore_errors=True)
    jobs = str(min(4, os.cpu_count() or 1))
    asked = ["-q", "-W", "--keep-going", "-j", jobs, "-d", f"{work}/.doctrees", "-b", "html"]
    if build_main([*asked, str(work), str(out)]):
        raise SystemExit("the documentation has warnings, listed above.")
    for left in (".buildinfo", "objects.inv"):
        (out / left).unlink(missing_ok=True)
    shutil.rmtree(out / "_sources", ignore_errors=True)
    if wrong := faults(out):
        raise SystemExit("\n".join([*wrong, f"{len(wrong)} faults in the pages of {out}."]))
    pages = len(list(out.rglob("*.html")))
    sys.stderr.write(f"{out}: {pages} pages in {time.monotonic() - began:.0f} s.\n")


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    asked.add_argument("--plain", action="store_true", help="show the tutorials without running")
    given = asked.parse_args()
    build(given.out.resolve(), not given.plain)
