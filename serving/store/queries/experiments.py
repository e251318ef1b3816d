"""The experiments a tenant runs, as they were published, and the exposures of customers to them."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select, update

from tactful.experiments.assignment.arms import Exposure
from tactful.experiments.design.declaration import Experiment, Plan
from tactful.features.timestamps import microseconds
from tactful.serving.store.database import Database, insert
from tactful.serving.store.port import from_micros
from tactful.serving.store.schema import decisions, experiments, exposures

FRAME = "(plan)"
"""Id of the row that bears what is not of one experiment: hold-out, hold-backs and layers."""


def publish(database: Database, tenant: str, plan: Plan, moment: datetime) -> None:
    """Put a plan in force; experiments that it does not have any more are stopped.

    Args:
        database: The database.
        tenant: The tenant of the experiments.
        plan: Checked already.
        moment: Now.

    Raises:
        StoreError: The database fails.
    """
    frame = plan.model_copy(update={"experiments": ()}).model_dump_json()
    rows: list[dict[str, str | int | None]] = [
        {"id": FRAME, "content": frame, "status": "running", "started": None, "stopped": None}
    ]
    rows += [_row(experiment, moment) for experiment in plan.experiments]
    gone = experiments.c.id.not_in([row["id"] for row in rows])
    with database.begin() as connection:
        connection.execute(
            update(experiments)
            .where(experiments.c.tenant == tenant, gone, experiments.c.status != "stopped")
            .values(status="stopped", stopped=microseconds(moment))
        )
        for row in rows:
            added = insert(connection, experiments).values(tenant=tenant, **row)
            connection.execute(added.on_conflict_do_update(index_elements=["tenant", "id"], set_=row))


def published(database: Database, tenant: str) -> Plan | None:
    """The plan in force, or None where none was published.

    Raises:
        StoreError: The database fails.
    """
    wanted = select(experiments.c.id, experiments.c.content).where(
        experiments.c.tenant == tenant, experiments.c.status != "stopped"
    )
    with database.read() as connection:
        found = {id_: json.loads(content) for id_, content in connection.execute(wanted.order_by(experiments.c.id))}
    frame = found.pop(FRAME, None)
    return None if frame is None else Plan.model_validate({**frame, "experiments": list(found.values())})


def expose(database: Database, tenant: str, seen: Sequence[Exposure]) -> None:
    """Keep exposures; the first of a customer to an experiment stands.

    They are of whom their decisions are about by now: who was erased since is not named again.

    Raises:
        StoreError: The database fails.
    """
    if not seen:
        return
    about = select(decisions.c.id, decisions.c.customer).where(
        decisions.c.tenant == tenant, decisions.c.id.in_([one.decision for one in seen])
    )
    with database.begin() as connection:
        whose = {row.id: row.customer for row in connection.execute(about.with_for_update(read=True))}
        rows = [
            {
                "tenant": tenant,
                "experiment": one.experiment,
                "customer": whose.get(one.decision, one.customer),
                "arm": one.arm,
                "decision": one.decision,
                "time": microseconds(one.moment),
            }
            for one in seen
        ]
        connection.execute(insert(connection, exposures).on_conflict_do_nothing(), rows)


def exposed_to(database: Database, tenant: str, experiment: str) -> Iterator[Exposure]:
    """The first exposure of each customer to an experiment, by time.

    Raises:
        StoreError: The database fails.
    """
    wanted = (
        select(exposures.c.customer, exposures.c.arm, exposures.c.decision, exposures.c.time)
        .where(exposures.c.tenant == tenant, exposures.c.experiment == experiment)
        .order_by(exposures.c.time, exposures.c.customer)
    )
    with database.read() as connection:
        found = connection.execute(wanted).all()
    for customer, arm, decision, time in found:
        yield Exposure(experiment, customer, arm, decision, from_micros(time), {})


def _row(experiment: Experiment, moment: datetime) -> dict[str, str | int | None]:
    start, stop = experiment.start, experiment.stop
    begun, ended = start is not None and start <= moment, stop is not None and stop <= moment
    return {
        "id": experiment.id,
        "content": experiment.model_dump_json(),
        "status": "stopped" if ended else "running" if begun else "draft",
        "started": microseconds(start) if start else None,
        "stopped": microseconds(stop) if stop else None,
    }
