"""Checks that the documentation site needs no network: `python -m release.offline var/site`."""

import re
import sys
from pathlib import Path

_LOADED = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"' >]+)",
    re.IGNORECASE,
)
_STYLE = re.compile(r"(?:@import\s+|url\()[\"']?((?:https?:)?//[^\"')]+)", re.IGNORECASE)


def foreign(folder: Path) -> list[str]:
    """Returns each address of another host that a page or a style of the site loads, with its file."""
    files = (
        (file, file.read_text(encoding="utf-8"))
        for file in sorted(folder.rglob("*"))
        if file.suffix in {".html", ".css"}
    )
    return [
        f"{file.relative_to(folder)}: {address}"
        for file, text in files
        for address in (*_LOADED.findall(text), *_STYLE.findall(text))
    ]


def main() -> None:
    """Prints what the site loads from elsewhere, and exits with 1 if there is anything."""
    folder = Path(sys.argv[1])
    found = foreign(folder)
    if not (folder / "index.html").exists():
        found.append(f"no site: wanted index.html in {folder}")
    print("\n".join(found), file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
