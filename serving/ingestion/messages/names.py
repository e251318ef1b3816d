"""The names of Segment's specifications and their meaning here: e-commerce, e-mail, mobile and B2B events."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator

from tactful.decisions.base.values import Names, Value
from tactful.features.vocabulary import CHANNELS, EVENT_TYPES

AMOUNT = ("revenue", "total", "value", "amount")
CONTACT = "contact"
OUTCOMES = frozenset(
    {CONTACT, "delivered", "opened", "clicked", "converted", "bounced", "dismissed", "complained", "unsubscribed"}
)
"""What becomes of a contact that was decided on, told with the property `decision_id`: first, that it was made."""


def _word(words: tuple[str, ...]) -> AfterValidator:
    def check(text: str) -> str:
        if text not in words:
            raise ValueError(f"unknown word; wanted one of {', '.join(filter(None, words))}")
        return text

    return AfterValidator(check)


class Meaning(Value):
    """The meaning of one name: an event, and the properties that its columns are read from, the first that is there.

    Args:
        type: A word of the event vocabulary.
        channel: A word of the channel vocabulary, unless the property `channel` gives one.
        amount: Currency; where none is there, the price times the quantity of the product or products.
        discount: Currency not asked for.
        quantity: Units; where none is there, the sum over the products.
        subject: The subject.
        category: A category, beside those of the products.
        scale: `nps` where the quantity is an answer from 0 to 10: the subject is then `promoter` (9 and 10), `passive`
            (7 and 8) or `detractor`.
    """

    type: Annotated[str, _word(EVENT_TYPES)]
    channel: Annotated[str, _word(CHANNELS)] = ""
    amount: Names = AMOUNT
    discount: Names = ("discount",)
    quantity: Names = ("quantity",)
    subject: Names = ("product_id", "sku", "name")
    category: Names = ("category",)
    scale: Literal["", "nps"] = ""


def key(name: str) -> str:
    """A name without case, spaces and signs, as names are compared.

    Example:
        >>> key("Order Completed") == key("order_completed") == key("orderCompleted")
        True
    """
    return "".join(filter(str.isalnum, name)).casefold()


CHANNEL_NAMES: Mapping[str, str] = {
    **{key(channel): channel for channel in CHANNELS[1:]},
    **dict.fromkeys(("emails", "newsletter", "mailinglist"), "email"),
    **dict.fromkeys(("text", "texts", "textmessage", "smsmessage"), "sms"),
    **dict.fromkeys(("pushes", "pushnotification", "pushnotifications", "mobilepush", "webpush"), "push"),
    **dict.fromkeys(("inappmessage", "inappmessages"), "in_app"),
    **dict.fromkeys(("onsite", "website"), "web"),
    **dict.fromkeys(("ads", "advertising"), "ad"),
    **dict.fromkeys(("post", "postal", "postalmail", "directmail", "letter", "letters"), "mail"),
    **dict.fromkeys(("calls", "phone", "phonecall", "phonecalls", "telephone"), "call"),
}
"""Other names of channels, as `key` gives them."""


def channel_of(name: str) -> str:
    """The channel that a name means, however it is written; an empty string for an unknown one.

    Example:
        >>> channel_of("E-Mail"), channel_of("Push Notification"), channel_of("fax")
        ('email', 'push', '')
    """
    return CHANNEL_NAMES.get(key(name), "")


def outcome(kind: str, channel: str) -> Meaning:
    """An event of a kind that concerns a message on a channel."""
    return Meaning(type=kind, channel=channel, subject=("message", "campaign_name", "campaign_id", "message_id"))


_ORDER = ("order_id", "checkout_id")
_ANSWER = ("score", "rating", "value")
_NPS = ("score", "nps", "nps_score", "rating", "value")
_SURVEY = Meaning(type="survey", quantity=_ANSWER, subject=("answer", "survey_id", "survey_name"))
_SURVEYS = ("Survey Completed", "Survey Submitted", "Survey Answered", "Rating Submitted", "Feedback Submitted")
_NPS_SURVEY = _SURVEY.model_copy(update={"quantity": _NPS, "scale": "nps"})
_NPS_SURVEYS = (
    "NPS Survey Completed", "NPS Survey Submitted", "NPS Survey Answered", "NPS Submitted", "NPS Response Submitted",
)  # fmt: skip
STANDARD: Mapping[str, Meaning] = {
    "Order Completed": Meaning(type="purchase", subject=_ORDER),
    "Order Refunded": Meaning(type="refund", subject=_ORDER),
    "Order Cancelled": Meaning(type="refund", subject=_ORDER),
    "Product Viewed": Meaning(type="view"),
    "Product Clicked": Meaning(type="view"),
    "Product List Viewed": Meaning(type="view", subject=("list_id", "category")),
    "Cart Viewed": Meaning(type="view", subject=("cart_id",)),
    "Products Searched": Meaning(type="search", subject=("query",)),
    "Product Added": Meaning(type="cart"),
    "Checkout Started": Meaning(type="checkout", subject=_ORDER),
    "Coupon Applied": Meaning(type="redeemed", subject=("coupon_id", "coupon_name", "coupon")),
    "Product Reviewed": Meaning(type="review", quantity=("rating",)),
    "Signed Up": Meaning(type="signup", subject=("type",)),
    "Account Created": Meaning(type="signup", subject=("account_name",)),
    "Email Sent": outcome(CONTACT, "email"),
    "Email Delivered": outcome("delivered", "email"),
    "Email Opened": outcome("opened", "email"),
    "Email Link Clicked": outcome("clicked", "email"),
    "Email Bounced": outcome("bounced", "email"),
    "Email Marked as Spam": outcome("complained", "email"),
    "Unsubscribed": outcome("unsubscribed", "email"),
    "Email Unsubscribed": outcome("unsubscribed", "email"),
    "Push Notification Sent": outcome(CONTACT, "push"),
    "Push Notification Received": outcome("delivered", "push"),
    "Push Notification Tapped": outcome("clicked", "push"),
    "Push Notification Bounced": outcome("bounced", "push"),
    "SMS Sent": outcome(CONTACT, "sms"),
    "SMS Delivered": outcome("delivered", "sms"),
    "SMS Link Clicked": outcome("clicked", "sms"),
    "SMS Failed": outcome("bounced", "sms"),
    "SMS Unsubscribed": outcome("unsubscribed", "sms"),
    "Mail Sent": outcome(CONTACT, "mail"),
    "Mail Returned": outcome("bounced", "mail"),
    "Call Made": outcome(CONTACT, "call"),
    **dict.fromkeys(_NPS_SURVEYS, _NPS_SURVEY),
    **dict.fromkeys(_SURVEYS, _SURVEY),
    "Points Earned": Meaning(type="earned", quantity=("points", "quantity"), subject=("reason",)),
    "Points Spent": Meaning(type="spent", quantity=("points", "quantity"), subject=("reason",)),
    "Contract Signed": Meaning(type="contract", subject=("contract_id",)),
}
"""Names of track calls; a name that is not here, such as `Product Removed`, means nothing."""

WORDS: Mapping[str, Meaning] = {
    **{kind: Meaning(type=kind) for kind in EVENT_TYPES if kind not in OUTCOMES},
    **{kind: outcome(kind, "") for kind in sorted(OUTCOMES)},
    **{kind: Meaning(type=kind, subject=(*_ORDER, "product_id", "sku", "name")) for kind in ("purchase", "refund")},
    "survey": STANDARD["Survey Completed"],
}
"""The words of the event vocabulary are names too; those of outcomes only as `is_bare_word` allows."""


def is_bare_word(name: str, *, tied: bool, channel: object) -> bool:
    """Whether a name is a word of an outcome that a shop may well send for something else, such as a contact form.

    `Contact`, `Opened` or `dismissed` concern a message only where they name a decision, or where the word is written
    as the vocabulary has it and the property `channel` is a channel. Refusals always count.

    Args:
        name: The name as it was sent.
        tied: Whether the message names a decision.
        channel: The property `channel`.

    Example:
        >>> is_bare_word("Contact", tied=False, channel="email"), is_bare_word("contact", tied=False, channel="email")
        (True, False)
    """
    if tied or key(name) not in _COLLIDING:
        return False
    return name not in _COLLIDING or channel not in CHANNELS[1:]


_COLLIDING = OUTCOMES - {"complained", "unsubscribed"}

PAGE = Meaning(type="view", channel="web", subject=("name", "path", "url"))
SCREEN = Meaning(type="view", channel="in_app", subject=("name",))
