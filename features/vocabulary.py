"""The words events are written in."""

from typing import Literal

# Both are append-only: the position is the code that is stored.
EVENT_TYPES = (
    "purchase", "refund", "view", "search", "cart", "checkout", "signup", "contact", "delivered", "opened",
    "clicked", "converted", "bounced", "dismissed", "complained", "unsubscribed", "redeemed", "survey", "review",
    "profile", "contract", "earned", "spent",
)  # fmt: skip
CHANNELS = ("", "email", "sms", "push", "in_app", "web", "ad", "mail", "call", "store")

OutcomeKind = Literal[
    "delivered", "opened", "clicked", "converted", "bounced", "dismissed", "complained", "unsubscribed"
]
"""What can come of a contact."""

LARGEST = 1e9
"""No amount, discount or quantity is larger, in either direction: the kernel sums millionths in 64 bits."""
