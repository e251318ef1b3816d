"""The record of operators' actions over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from tactful.serving.api.access.auth import RequestContext, allows
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.problems import INVALID
from tactful.serving.errors import StoreError
from tactful.serving.store.queries.operator_actions import page

router = APIRouter(prefix="/v1", tags=["operations"])
Operator = Annotated[RequestContext, Depends(allows("admin"))]


class ActionItem(BaseModel):
    """An operator's action."""

    number: int = Field(description="Its place in the record, from 1.")
    time: datetime
    actor: str = Field(description="Id of the API key, or `cli:` and the user of the machine.")
    action: str = Field(description="Such as `key created`, `catalogue put` or `customer erased`.")
    subject: str = Field(description="Id of a key or a bundle, digest of a catalogue or of a customer's id.")
    details: dict[str, Any]
    previous: str = Field(description="The digest of the row before.")
    digest: str = Field(description="SHA-256 of the tenant and this row; `tactful audit verify` recomputes it.")


class ActionPage(BaseModel):
    """Operators' actions, the newest first."""

    actions: list[ActionItem]
    next: int | None = Field(description="`before` of the next page; null on the last one.")


@router.get("/audit", summary="Operators' actions, the newest first", responses=problems(StoreError, INVALID))
async def list_actions(
    context: Operator,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> ActionPage:
    """Each with the key or the user who did it.

    Each row holds the digest of the one before, so no row can be changed or taken out unnoticed.
    """
    service = context.service
    rows = await run_in_threadpool(page, service.store.database, service.tenant, before, limit + 1)
    items = [ActionItem.model_validate(row.as_dict()) for row in rows[:limit]]
    return ActionPage(actions=items, next=items[-1].number if len(rows) > limit else None)
