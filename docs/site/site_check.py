"""What is wrong with built pages: links that lead nowhere, and requests to other hosts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes by which a page loads something without being asked.
LOADS = {"src", "srcset", "poster", "data"}
ADDRESS = re.compile(r"""(?:@import\s+|url\()\s*["']?((?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """Anchors, links and loaded files of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        text = path.read_text(encoding="utf-8")
        self.feed(text)
        self.loaded += ADDRESS.findall(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names, loads and leads to."""
        said = {name: value for name, value in attrs if value}
        self.anchors |= {said[name] for name in ("id", "name") if name in said}
        self.loaded += [said[name] for name in LOADS & said.keys()]
        if tag == "a" and "href" in said:
            self.links.append(said["href"])
        elif tag == "link" and "href" in said:
            self.loaded.append(said["href"])


def faults(site: Path) -> list[str]:
    """Return what is wrong with the pages of a site: dead links, and requests to other hosts."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        where = path.relative_to(site.resolve())
        for address in [*page.links, *page.loaded]:
            parts = urlsplit(address)
            if parts.scheme in ("data", "mailto"):
                continue
            if parts.scheme or parts.netloc:
                if address in page.loaded:
                    found.append(f"{where}: asks another host for {address}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                found.append(f"{where}: {address} is not there")
            elif parts.fragment and target in pages:
                anchors = pages[target].anchors
                if unquote(parts.fragment) not in anchors and address != "#":
                    found.append(f"{where}: {address} has no such place")
    for sheet in site.rglob("*.css"):
        asked = ADDRESS.findall(sheet.read_text(encoding="utf-8"))
        found += [f"{sheet.relative_to(site)}: asks another host for {one}" for one in asked]
    return found
