"""The job of contractual churn, from the command's arguments."""

import hashlib
from pathlib import Path

import pandas as pd

from tactful.cli.wiring.jobs import Job
from tactful.cli.wiring.training_jobs import bound, log_of
from tactful.training.data.errors import TrainingError
from tactful.training.fit.candidate import Candidate
from tactful.training.fit.job import Progress
from tactful.training.jobs import renewals
from tactful.training.jobs.classifier_candidate import candidate_of

NOTICE, GRACE = 30, 14


def contract_job(
    events: Path, contracts: Path, notice: int = NOTICE, grace: int = GRACE, judged_from: int | None = None
) -> Job:
    """The model of contracts that are not renewed, from a log of events and a table of contracts."""
    if not contracts.is_file():
        raise TrainingError("no contracts", got=str(contracts), wanted="a Parquet file of contracts")
    dataset, table = log_of(events), pd.read_parquet(contracts)
    digest = hashlib.sha256(dataset.digest.encode() + contracts.read_bytes()).hexdigest()
    settings = {"notice_days": notice, "grace_days": grace, **renewals.PARAMETERS.as_dict()}

    def train(told: Progress) -> Candidate:
        return candidate_of(
            renewals.train(dataset, table, notice_days=notice, grace_days=grace, judged_from=judged_from, progress=told)
        )

    return Job(
        renewals.NAME,
        {
            "digest": digest,
            "events": sum(dataset.rows),
            "first": dataset.first,
            "last": dataset.last,
            "contracts": len(table),
        },
        settings | bound(judged_from),
        train,
    )
