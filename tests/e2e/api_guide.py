"""The guide to the API, with every answer as the demo's service gives it: `python -m tests.e2e.api_guide` writes it."""

import json
import re
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import httpx

from tactful.serving.api.problems import INTERNAL, INVALID, KINDS, OF_FRAMEWORK
from tactful.serving.bootstrap import open_tenants
from tactful.serving.process.server import running
from tactful.serving.settings import Settings
from tests.patience import PATIENCE

GUIDE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
ADDRESS = "http://127.0.0.1:8080"
WIDTH = 120
BUNDLE = "6f6590e90155"
"""What the guide calls the bundle: its digest is another one on each machine that trains it."""
FOLDER = "var/demo"
"""What the guide calls the folder of the service."""
_STEP = re.compile(r"```(console|python)\n(.*?)```\n\n```(json|text)\n(.*?)```", re.DOTALL)
_PROBLEMS = re.compile(r"(\| status \| type .*?\n\|---\|---\|---\|\n).*?\n\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Service:
    """The demo's service, on a copy of its data.

    Args:
        url: Where it answers.
    """

    url: str

    def curl(self, line: str) -> Any:
        """What a curl command prints, read as JSON; the request's id, which is never the same, left out."""
        words = shlex.split(line.removeprefix("$ curl -s "))
        given: dict[str, list[str]] = {}
        (url,) = [word for word in _arguments(words, given) if word.startswith("http")]
        body = given.get("-d", [""])[0].encode()
        method = given.get("-X", ["POST" if body else "GET"])[0]
        headers = dict(header.split(": ", 1) for header in given.get("-H", []))
        told = httpx.request(
            method, url.replace(ADDRESS, self.url), content=body, headers=headers, timeout=PATIENCE
        ).json()
        return {name: value for name, value in told.items() if name != "request_id"}

    def python(self, block: str) -> str:
        """What a block of Python prints."""
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(block.replace(ADDRESS, self.url), GUIDE.name, "exec"), {})
        return printed.getvalue()


def _arguments(words: list[str], options: dict[str, list[str]]) -> Iterator[str]:
    queue = iter(words)
    for word in queue:
        if word.startswith("-"):
            options.setdefault(word, []).append(next(queue))
        else:
            yield word


def answered(text: str, demo: Path, scratch: Path) -> str:
    """The guide with each answer as it is given now, one call after another.

    Args:
        text: The guide.
        demo: The folder that the demo has filled.
        scratch: An empty folder, for a copy that the calls may change.
    """
    for name in ("champion", "events"):
        shutil.copytree(demo / name, scratch / name)
    for name in ("catalogue.yaml", "tactful.env"):
        shutil.copy(demo / name, scratch)
    with closing(sqlite3.connect(demo / "tactful.db")) as store, closing(sqlite3.connect(scratch / "tactful.db")) as to:
        store.backup(to)
    settings = Settings.of(scratch)
    tenants = open_tenants(settings)
    with running(tenants, settings) as url:
        service = Service(url)
        text = _STEP.sub(lambda step: _told(service, *step.groups()), text)
    version = tenants.of(settings.tenant).champions.present().bundle.version
    tenants.store.close()
    text = text.replace(version, BUNDLE).replace(str(scratch), FOLDER)
    return _PROBLEMS.sub(lambda found: found.group(1) + "".join(problems()) + "\n", text)


def _told(service: Service, language: str, asked: str, kind: str, _: str) -> str:
    if language == "python":
        answer = service.python(asked)
    else:
        answers = [service.curl(line) for line in asked.splitlines() if line.startswith("$ ")]
        answer = "".join(f"{laid_out(one)}\n" for one in answers)
    return f"```{language}\n{asked}```\n\n```{kind}\n{answer}```"


def laid_out(document: Mapping[str, Any]) -> str:
    """A document with a line for each of its members, and for each element of those that do not fit a line."""
    flat = json.dumps(document, sort_keys=True, ensure_ascii=False)
    if len(flat) <= WIDTH:
        return flat
    members = [f"  {json.dumps(name)}: {_member(value)}" for name, value in sorted(document.items())]
    return "{\n" + ",\n".join(members) + "\n}"


def _member(value: Any) -> str:
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if isinstance(value, list) and len(flat) > WIDTH:
        return "[\n" + ",\n".join(f"    {json.dumps(v, sort_keys=True, ensure_ascii=False)}" for v in value) + "\n  ]"
    return flat


def problems() -> Iterator[str]:
    """The rows of the table of problems."""
    kinds = {kind.name: kind for kind in (*KINDS.values(), *OF_FRAMEWORK.values(), INVALID, INTERNAL)}
    for kind in sorted(kinds.values(), key=lambda kind: (kind.status, kind.name)):
        yield f"| {kind.status} | `{kind.name}` | {kind.hint or ''} |\n"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        demo = Path(sys.argv[1] if len(sys.argv) > 1 else "var/demo")
        GUIDE.write_text(answered(GUIDE.read_text(encoding="utf-8"), demo, Path(folder)), encoding="utf-8")
