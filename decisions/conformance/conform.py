"""A kit that shows on a catalogue of your own what its decisions promise.

Customers and situations are derived from the catalogue and put to the core that decides; what must come out follows
from the words of the catalogue alone. A promise that cannot be shown on a catalogue is `not applicable`, never passed.
"""

from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.conformance.kit import Check, Decide, Kit
from tactful.decisions.conformance.policies import policy_checks
from tactful.decisions.conformance.programmes import programme_checks
from tactful.decisions.kernel.decide import decide as _decide

__all__ = ["Check", "Decide", "conform"]


def conform(compiled: CompiledCatalogue, decide: Decide = _decide) -> list[Check]:
    """Try every promise on a catalogue.

    Args:
        compiled: The catalogue.
        decide: The core that is tried.

    Returns:
        The checks of each contact policy, then of each programme, series and consent.
    """
    kit = Kit(compiled, decide)
    return [*policy_checks(kit), *programme_checks(kit)]
