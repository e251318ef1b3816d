"""Merges of customers over HTTP: listed, and undone."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool

from tactful.serving.api.access.auth import RequestContext, allows
from tactful.serving.api.customers.schemas import MergeItem, MergePage, UnmergeAnswer
from tactful.serving.api.decisions.schemas import CustomerId
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.pagination import cursor_of, parsed
from tactful.serving.api.paths import unescaped
from tactful.serving.api.problems import INVALID
from tactful.serving.errors import CursorError, NotMergedError, StoreError
from tactful.serving.store.queries.merges import made

router = APIRouter(prefix="/v1", tags=["customers"])
Merger = Annotated[RequestContext, Depends(allows("merge"))]


@router.get(
    "/merges", summary="Merges of customers, the newest first", responses=problems(StoreError, CursorError, INVALID)
)
async def list_merges(
    context: Merger,
    customer_id: Annotated[CustomerId | None, Query(description="Only those of this id, on either side.")] = None,
    cursor: Annotated[str | None, Query(max_length=300, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> MergePage:
    """Each with the key that asked for it, and with the moment at which it was undone, if it was."""
    service, before = context.service, parsed(cursor) if cursor else None
    found = await run_in_threadpool(
        made, service.store.database, service.tenant, customer=customer_id, before=before, limit=limit + 1
    )
    items = [
        MergeItem(
            id=one.id,
            merged_id=one.alias,
            customer_id=one.customer,
            time=one.time,
            key=one.caller,
            undone=one.undone,
        )
        for one in found[:limit]
    ]
    return MergePage(merges=items, next=cursor_of(items[-1].time, items[-1].id) if len(found) > limit else None)


@router.post(
    "/customers/{customer_id}/unmerge",
    summary="Undo the merge of an id",
    responses=problems(NotMergedError, StoreError, INVALID),
)
async def unmerge_customer(
    customer_id: Annotated[CustomerId, BeforeValidator(unescaped), Path()], context: Merger
) -> UnmergeAnswer:
    """The id is a customer of its own again, with what came under it before the merge and since.

    Decisions and their contacts stay with the id that they were made about. A refusal that came while both were one
    customer counts for both. The id is not merged again, unless a key of scope `merge` asks for it.
    """
    service = context.service
    undone = await run_in_threadpool(
        service.store.unmerge, service.tenant, customer_id, service.clock(), context.caller.key
    )
    return UnmergeAnswer(
        merge=undone.id,
        customer_id=undone.alias,
        separated_from=undone.customer,
        identities=list(undone.names[1:]),
    )
