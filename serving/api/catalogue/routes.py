"""The catalogue over HTTP: read, checked, replaced."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from tactful.serving.api.access.auth import RequestContext, allows
from tactful.serving.api.catalogue.schemas import CataloguePut, CatalogueRemark, ProgrammesAnswer
from tactful.serving.api.decisions.schemas import CatalogueVersion
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.problems import INVALID, MALFORMED, TOO_LARGE
from tactful.serving.engine.in_force.catalogues import Verdict
from tactful.serving.engine.queries.customers import programmes
from tactful.serving.errors import (
    CatalogueMovedError,
    CatalogueRefusedError,
    NotReadyError,
    PreconditionRequiredError,
    StoreError,
    UnreadableBodyError,
)

router = APIRouter(prefix="/v1", tags=["catalogue"])

YAML = "application/yaml"
Reader = Annotated[RequestContext, Depends(allows("read"))]
Operator = Annotated[RequestContext, Depends(allows("admin"))]


class YamlText(Response):
    """A text in YAML."""

    media_type = YAML


_BODY: dict[str, Any] = {
    "description": "The catalogue as YAML in UTF-8, under either media type.",
    "required": True,
    "content": {
        YAML: {"schema": {"type": "string"}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}
_TEXT: dict[str, Any] = {YAML: {"schema": {"type": "string"}}, "text/plain": {"schema": {"type": "string"}}}


@router.get(
    "/catalogue",
    summary="The catalogue in force",
    response_class=YamlText,
    responses={
        200: {"content": _TEXT, "description": "`ETag` names the text; as `text/plain` if `Accept` asks for that."},
        304: {"description": "It is still the one that `If-None-Match` names."},
        **problems(NotReadyError, StoreError, INVALID),
    },
)
async def get_catalogue(
    context: Reader, request: Request, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The text as it was put in force, comments and all."""
    present = await run_in_threadpool(context.service.governance.in_force)
    headers = {"ETag": f'"{present.digest}"'}
    if if_none_match is not None and {present.digest, "*"} & set(_tags(if_none_match)):
        return Response(status_code=304, headers=headers)
    plain = request.headers.get("accept", "").lower().startswith("text/plain")
    return Response(present.content, headers=headers, media_type="text/plain" if plain else YAML)


@router.put(
    "/catalogue",
    summary="Put another catalogue in force",
    openapi_extra={"requestBody": _BODY},
    responses=problems(
        CatalogueRefusedError,
        CatalogueMovedError,
        PreconditionRequiredError,
        UnreadableBodyError,
        NotReadyError,
        StoreError,
        MALFORMED,
        INVALID,
        TOO_LARGE,
    ),
)
async def put_catalogue(
    context: Operator,
    request: Request,
    response: Response,
    if_match: Annotated[str | None, Header(description="The `ETag` of the one it is to replace, or `*`.")] = None,
    check: Annotated[bool, Query(description="Only say what there is to say of it.")] = False,
) -> CataloguePut:
    """The check is that of `tactful catalogue check`: every mistake comes with its line, and then nothing is changed.

    The next decisions are made with it; one that has begun ends with the one before, and each names its version.
    """
    content = _text(await request.body())
    if check:
        return _answer(await run_in_threadpool(context.service.governance.inspected, content), None)
    if if_match is None:
        raise PreconditionRequiredError("which catalogue is to be replaced", wanted="its ETag in If-Match")
    put, verdict = await run_in_threadpool(
        context.service.governance.put_in_force, content, context.caller.key, instead_of=_tags(if_match)
    )
    response.headers["ETag"] = f'"{put.digest}"'
    return _answer(verdict, put.number)


@router.get(
    "/programmes",
    summary="The programmes of the present catalogue",
    responses=problems(NotReadyError),
)
async def list_programmes(context: Reader) -> ProgrammesAnswer:
    """In the marketer's order of priority."""
    champion = await run_in_threadpool(context.service.champions.present)
    catalogue = CatalogueVersion(name=champion.compiled.catalogue.catalogue, version=champion.compiled.version)
    return ProgrammesAnswer.model_validate({"catalogue": catalogue, "programmes": programmes(champion)})


def _answer(verdict: Verdict, number: int | None) -> CataloguePut:
    remarks = [
        CatalogueRemark(line=r.line, severity=r.severity, message=r.message, mend=r.mend or None)
        for r in verdict.remarks
    ]
    return CataloguePut(name=verdict.name, version=verdict.version, number=number, remarks=remarks)


def _tags(header: str) -> list[str]:
    """The entity tags of a header, weak or strong, without their quotes."""
    return [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise UnreadableBodyError("a body that is no text", wanted="YAML in UTF-8") from None
