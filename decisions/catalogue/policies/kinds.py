"""Every kind of contact policy, by the `kind` that a catalogue names."""

from typing import Annotated

from pydantic import Field

from tactful.decisions.catalogue.policies.frequency import Cap, Gap
from tactful.decisions.catalogue.policies.pairs import NeverAfter, NeverWith, OnlyAfter
from tactful.decisions.catalogue.policies.quiet import QuietDays, QuietHours
from tactful.decisions.catalogue.policies.suppression import Suppression

AnyContactPolicy = Annotated[
    Cap | Gap | QuietHours | QuietDays | NeverAfter | NeverWith | OnlyAfter | Suppression,
    Field(discriminator="kind"),
]
