"""The arms of the experiments in force, made ready for the present champion."""

import logging
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tactful.decisions.catalogue.compiled import CompiledCatalogue
from tactful.decisions.kernel.decide import Scorer
from tactful.decisions.loading import load_catalogue
from tactful.experiments.assignment.arms import Arms
from tactful.experiments.assignment.treatments import Treatment
from tactful.experiments.design.declaration import AnyArm, OtherBundle, OtherCatalogue, Plan
from tactful.models.bundles.bundle import load
from tactful.serving.engine.in_force.champion import MEMORY, Champion
from tactful.serving.engine.in_force.pointer import vocabulary
from tactful.serving.errors import StoreError

_log = logging.getLogger(__name__)


class ActiveExperiments:
    """Follows the experiments in force, which the store is asked for once in `champion.MEMORY` seconds.

    Experiments that cannot be made ready, as where a catalogue is missing, are left out, all of them, and the log says
    why: the service goes on deciding without any.

    Args:
        newest: Asks for the plan in force, or None.
        folder: Where the catalogues and, under `bundles`, the bundles are that arms name.
    """

    def __init__(self, newest: Callable[[], Plan | None] = lambda: None, folder: Path = Path()) -> None:
        self._newest = newest
        self._folder = folder
        self._lock = threading.Lock()
        self._asked = -math.inf
        self._plan: Plan | None = None
        self._made_for: tuple[Champion, Plan | None] | None = None
        self._arms: Arms | None = None

    def present(self, champion: Champion) -> Arms | None:
        """The arms for a champion, or None where no experiment is in force."""
        with self._lock:
            self._ask()
            if self._made_for is None or self._made_for[0] is not champion or self._made_for[1] is not self._plan:
                self._arms = self._ready(champion)
                self._made_for = (champion, self._plan)
            return self._arms

    def _ask(self) -> None:
        """A store that fails now leaves the present experiments in force; a plan that did not change stays the same."""
        if time.monotonic() - self._asked < MEMORY:
            return
        self._asked = time.monotonic()
        try:
            found = self._newest()
        except StoreError:
            return
        if found != self._plan:
            self._plan = found

    def _ready(self, champion: Champion) -> Arms | None:
        if self._plan is None:
            return None
        base = Treatment(champion.compiled, champion.compiled.catalogue.policy, champion.bundle)
        try:
            return Arms(self._plan, base, self._catalogues(champion), self._bundles(champion))
        except Exception as error:
            _log.error("experiments refused", extra={"reason": str(error)})
            return None

    def _catalogues(self, champion: Champion) -> dict[str, CompiledCatalogue]:
        names = {arm.catalogue for arm in self._all() if isinstance(arm, OtherCatalogue)}
        return {name: load_catalogue(self._folder / name, vocabulary(champion.bundle.names)) for name in names}

    def _bundles(self, champion: Champion) -> dict[str, Scorer]:
        names = {arm.bundle for arm in self._all() if isinstance(arm, OtherBundle)}
        folder = self._folder / "bundles"
        return {name: load(folder / name, fingerprint=champion.bundle.fingerprint) for name in names}

    def _all(self) -> list[AnyArm]:
        return [arm for experiment in self._plan.experiments for arm in experiment.arms] if self._plan else []
