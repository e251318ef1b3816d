"""A decision with the reasons for it, for a person: as text, as a table and as HTML in a notebook."""

from dataclasses import dataclass
from html import escape
from typing import Self

import pandas as pd

from tactful.decisions.analysis.explain import paragraph, table
from tactful.decisions.catalogue.messages import RenderedText
from tactful.decisions.kernel.decision import Decision
from tactful.serving.engine.drafts import DecisionResult

CANDIDATES = {
    "programme": "str",
    "message": "str",
    "channel": "str",
    "priority": "float64",
    "probability": "float64",
    "excluded": "str",
}


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """A decision with the reasons for it.

    `str` gives a paragraph; a notebook shows the paragraph, the text of the message and a table of the candidates.

    Attributes:
        decision: The decision, complete.
        currency: ISO 4217 code of its amounts.
        text: Subject and body of the chosen message; None for silence, or where the personal data were erased.
    """

    decision: Decision
    currency: str
    text: RenderedText | None

    @classmethod
    def of(cls, answer: DecisionResult) -> Self:
        """The explanation of a decision as the engine gives it."""
        return cls(answer.decision, answer.currency, answer.text)

    @property
    def action(self) -> str | None:
        """The chosen action as `programme/message/channel`; None for silence."""
        return self.decision.choice.action.id if self.decision.choice else None

    def candidates(self) -> pd.DataFrame:
        """The actions of every open programme, best first, excluded ones last.

        Returns:
            `programme`, `message`, `channel`, `priority` (the worth over silence, in currency; NaN where excluded),
            `probability` (with which it was to be chosen) and `excluded` (every reason; missing where none).
        """
        rows = [
            (*row["action"].split("/"), row["priority"], row["probability"], "; ".join(row["reasons"]) or None)
            for row in table(self.decision)
        ]
        series = zip(*rows, strict=True) if rows else ((),) * len(CANDIDATES)
        columns = zip(CANDIDATES.items(), series, strict=True)
        return pd.DataFrame({name: pd.Series(values, dtype=dtype) for (name, dtype), values in columns})

    def __str__(self) -> str:
        return paragraph(self.decision, self.currency)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.decision.id}: {self.decision.outcome}>"

    def _repr_html_(self) -> str:
        chosen = escape(self.decision.outcome)
        said = f"<blockquote>{self._message()}</blockquote>" if self.text else ""
        rows = self.candidates()
        shown = rows.fillna({"excluded": ""}).to_html(index=False, na_rep="", border=0) if len(rows) else ""
        return f"<p><strong>{chosen}</strong></p><p>{escape(str(self))}</p>{said}{shown}"

    def _message(self) -> str:
        assert self.text is not None
        parts = (self.text.subject, self.text.body)
        return "<br>".join(escape(part) for part in parts if part)
