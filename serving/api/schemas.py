"""Problem documents, the bodies of every error, for OpenAPI and for clients."""

from pydantic import BaseModel, Field


class FieldProblem(BaseModel):
    """The mistake in one field of a request."""

    place: str = Field(description="Where it stands, such as `body.customer_id`.")
    message: str


class Problem(BaseModel):
    """A problem document."""

    type: str = Field(description="Names the kind of problem; it never changes.")
    title: str = Field(description="The kind of problem, for a person.")
    status: int
    detail: str = Field(description="This occurrence, for a person.")
    hint: str | None = Field(default=None, description="What to do about it.")
    errors: list[FieldProblem] | None = Field(default=None, description="Each field that is wrong.")
    request_id: str = Field(description="Quote it to whoever runs the service.")


class TrackingProblem(Problem):
    """A problem document of a tracking route: it repeats itself in the words that the clients of Segment read."""

    code: str = Field(description="The kind of problem.")
    message: str = Field(description="The same as `detail`.")
