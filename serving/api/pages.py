"""Pages that anybody may open: a welcome at `/` and the reference of the API at `/docs`.

Both are made from the OpenAPI document by the service itself and load nothing from elsewhere.
"""

import base64
import hashlib
import re
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

PATHS = ("/", "/docs")
_environment = Environment(
    loader=PackageLoader("tactful.serving.api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def install(app: FastAPI) -> None:
    """Adds the pages to an application; the OpenAPI document does not list them."""
    for path, template in zip(PATHS, ("welcome.html", "reference.html"), strict=True):
        app.add_route(path, _endpoint(template), include_in_schema=False)


def _endpoint(template: str) -> Any:
    written: dict[str, HTMLResponse] = {}

    async def answer(request: Request) -> HTMLResponse:
        if template not in written:
            written[template] = _page(template, request.app.openapi())
        return written[template]

    return answer


def _page(template: str, document: dict[str, Any]) -> HTMLResponse:
    page = _environment.get_template(template).render(api=document, groups=_groups(document))
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})


@cache
def _style() -> str:
    return _environment.get_template("style.css").render()


def _groups(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations under their tags, in the order of the tags."""
    found: list[dict[str, Any]] = [
        {"method": method.upper(), "path": path, "scopes": _scopes(operation), **operation}
        for kind in ("paths", "webhooks")
        for path, operations in document[kind].items()
        for method, operation in operations.items()
    ]
    groups = [{**tag, "operations": [one for one in found if tag["name"] in one["tags"]]} for tag in document["tags"]]
    return [group for group in groups if group["operations"]]


def _scopes(operation: dict[str, Any]) -> list[str]:
    """The scopes of which an operation wants one."""
    return sorted({scope for wanted in operation.get("security", ()) for scopes in wanted.values() for scope in scopes})


def _prose(text: str) -> Markup:
    """Paragraphs; text in backticks becomes code."""
    paragraphs = (re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(one))) for one in text.strip().split("\n\n"))
    return Markup("".join(f"<p>{one}</p>" for one in paragraphs))  # noqa: S704 # nosec B704 # escaped above


def _type(schema: dict[str, Any]) -> Markup:
    """A schema in a word or a few, with links to those that have a name.

    Example:
        >>> reasons = {"type": "array", "items": {"$ref": "#/components/schemas/Reason"}}
        >>> str(_type({"anyOf": [reasons, {"type": "null"}]}))
        'list of <a href="#Reason">Reason</a> or null'
    """
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[1]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" or ").join(_type(one) for one in choices)
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return Markup(", ").join(Markup("<code>{}</code>").format(value) for value in values)
    if schema.get("type") == "array":
        return Markup("list of {}").format(_type(schema.get("items", {})))
    return Markup("{}").format(schema.get("format") or schema.get("type") or "anything")


_environment.filters |= {"prose": _prose, "type": _type}
