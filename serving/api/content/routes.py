"""Routes for a page that asks for its content: the choice and its text alone, for the customer of a token."""

import math
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from tactful.serving.api.access.auth import RequestContext, allows
from tactful.serving.api.access.limits import Buckets
from tactful.serving.api.decisions.schemas import Action, DecisionId, OutcomeAnswer
from tactful.serving.api.document.openapi import problems
from tactful.serving.api.problems import INVALID, MALFORMED, TOO_LARGE
from tactful.serving.engine.content import ContentKind, ask_for, report_content
from tactful.serving.errors import (
    ContendedError,
    DecisionConflictError,
    NothingToSendError,
    NotReadyError,
    StoreError,
    TooManyRequestsError,
    UnknownCustomerError,
    UnknownDecisionError,
)
from tactful.serving.signing.customer_tokens import CustomerTokens

CUSTOMER_RATE = 5.0
"""Requests a second for the content of one customer, of all workers together."""

router = APIRouter(prefix="/v1/content", tags=["content"])
Page = Annotated[RequestContext, Depends(allows("content"))]
Token = Annotated[
    str,
    Field(
        min_length=1, max_length=4_096, description="JWT that the shop's server signed for the customer.", repr=False
    ),
]


class ContentRequest(BaseModel):
    """For whom content is asked."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"token": "…", "channels": ["web"]}]})  # nosec B105 # an example

    token: Token
    channels: tuple[Literal["web", "in_app"], ...] = Field(
        default=("web",), min_length=1, max_length=2, description="The channels that the page can show."
    )


class ContentReport(BaseModel):
    """A report about shown content."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"token": "…", "kind": "shown"}]})  # nosec B105 # an example

    token: Token
    kind: ContentKind = Field(description="`shown`, once the customer saw it; then `clicked` or `dismissed`.")


class Content(Action):
    """A message to show."""

    subject: str | None = Field(description="Null on a channel without subjects.")
    body: str | None = Field(description="Null once the customer's data were erased.")


class ContentAnswer(BaseModel):
    """The content of a page."""

    id: str = Field(description="Names the content in reports of what became of it.")
    content: Content | None = Field(description="Null where nothing is worth showing.")


@router.post(
    "",
    summary="The content of a customer's page",
    responses=problems(
        UnknownCustomerError, DecisionConflictError, ContendedError, NotReadyError, StoreError,
        MALFORMED, INVALID, TOO_LARGE,
    ),
)  # fmt: skip
async def post_content(wanted: ContentRequest, context: Page, request: Request) -> ContentAnswer:
    """The same for five minutes, however often it is asked for.

    It counts toward caps for as long, and for good once it was reported as `shown`.
    """
    customer = _customer(wanted.token, context, request)
    _limit(customer, context, request.state.content_buckets)
    command = ask_for(customer, wanted.channels, context.service.clock())
    answer = await context.batcher.submit(context.service, command)
    choice, text = answer.decision.choice, answer.text
    if choice is None:
        return ContentAnswer(id=answer.decision.id, content=None)
    action = choice.action
    content = Content(
        action=action.id,
        programme=action.programme,
        message=action.message,
        channel=action.channel,
        subject=text.subject if text else None,
        body=text.body if text else None,
    )
    return ContentAnswer(id=answer.decision.id, content=content)


@router.post(
    "/{decision_id}/outcome",
    summary="Tell what became of content",
    responses=problems(UnknownDecisionError, NothingToSendError, StoreError, MALFORMED, INVALID, TOO_LARGE),
)
async def post_content_outcome(
    decision_id: Annotated[DecisionId, Path()], told: ContentReport, context: Page, request: Request
) -> OutcomeAnswer:
    """A page reports only what became of its own customer's content. Told twice, it counts once."""
    customer = _customer(told.token, context, request)
    kept = await run_in_threadpool(report_content, context.service, decision_id, customer, told.kind)
    return OutcomeAnswer(status="kept" if kept else "known")


def _customer(token: str, context: RequestContext, request: Request) -> str:
    tokens: CustomerTokens = request.state.customer_tokens
    return tokens.customer(context.caller.tenant, token, datetime.now(UTC))


def _limit(customer: str, context: RequestContext, buckets: Buckets) -> None:
    wait = buckets.wait(f"{context.caller.tenant}\0{customer}", CUSTOMER_RATE)
    if wait:
        allowed = f"at most {CUSTOMER_RATE:g} a second for one customer"
        raise TooManyRequestsError("too many requests", wanted=allowed, retry_after=math.ceil(wait))
