"""An example of what each route answers when all is well."""

from typing import Any

_READY: dict[str, Any] = {
    "status": "ready",
    "bundle": {
        "version": "3f6b2f0c41a7",
        "features": "84f609ee5fb9f99eeb2e32a760a2ba5dab7b77a54aa0ad94ef03791c593c434c",
    },
    "catalogue": {"name": "shop", "version": "0b1e7d1d4f4c9a52"},
    "refused": {"reason": "a changed file: got 'sha256 9d0f…'; wanted sha256 41be…; at bundles/second/lapse.txt"},
    "remarks": [
        (
            "catalogue.yaml is ignored, since catalogue 3 was put in force: put the file in force by "
            "`tactful catalogue put`, or delete it"
        )
    ],
    "refused_messages": {"malformed": 12, "unmapped": 3},
}
_DECISION: dict[str, Any] = {
    "id": "checkout-7f3a",
    "customer_id": "leaver",
    "moment": "2026-05-06T16:00:00+00:00",
    "choice": {
        "action": "win_back/miss_you/email",
        "programme": "win_back",
        "message": "miss_you",
        "channel": "email",
        "priority": 4.3,
        "probability": 1.0,
        "opening": "win_back:first",
        "response": 0.2155,
        "subject": "We miss you",
        "body": "Dear Ada, it has been 45 days. Take this, good for 30 days.",
    },
    "silence": None,
    "probability": 1.0,
    "silence_probability": 0.0,
    "scores": {"lapse": 0.92},
    "runners_up": [],
    "excluded": [
        {
            "action": "win_back/miss_you/mail",
            "programme": "win_back",
            "message": "miss_you",
            "channel": "mail",
            "reasons": [
                {
                    "gate": "cap",
                    "rule": "monthly_mail",
                    "observed": "1 contact in 28d",
                    "limit": "at most 1 in 28d",
                    "until": "2026-05-14T16:00:00+00:00",
                }
            ],
        }
    ],
    "closed": [{"programme": "thanks", "observed": "no event that opens it", "limit": "an opening"}],
    "currency": "USD",
    "policy": {"kind": "greedy"},
    "stratum": "policy",
    "versions": {
        "catalogue": _READY["catalogue"]["version"],
        "bundle": _READY["bundle"]["version"],
        "features": _READY["bundle"]["features"],
        "kernel": "5",
    },
    "rewards": [
        {"component": "margin", "expected": 4.31, "matures": "2026-05-13T16:00:00+00:00"},
        {"component": "cost", "expected": -0.01, "matures": "2026-05-06T16:00:00+00:00"},
    ],
    "explanation": (
        "Chosen: miss_you of win_back by email, worth 4.30 USD more than silence (response 21.5%, margin 20.00, cost "
        "0.01), with probability 1; its outcome is known on 2026-05-13 16:00 UTC. Excluded: "
        "win_back/miss_you/mail by cap monthly_mail (1 contact in 28d; wanted at most 1 in 28d, possible from "
        "2026-05-14 16:00 UTC)."
    ),
}
_SILENT = {
    **_DECISION,
    "id": "monday-2",
    "customer_id": "regular",
    "choice": None,
    "silence": "no opening",
    "rewards": [{"component": "margin", "expected": 0.0, "matures": "2026-05-13T16:00:00+00:00"}],
}
_REASON: dict[str, Any] = {
    "gate": "cap",
    "rule": "weekly",
    "observed": "2 contacts in 7d",
    "limit": "at most 2 in 7d",
    "until": "2026-05-08T09:30:00+00:00",
}
_CLOSED = [{"programme": "birthday", "observed": "customer.birthday unknown", "limit": "an opening"}]
_CONSENT = {"channel": "email", "purpose": "marketing", "allowed": True}
_WHAT_IF = {name: _DECISION[name] for name in ("silence", "scores", "runners_up", "excluded", "closed", "currency")} | {
    "choice": {
        name: _DECISION["choice"][name]
        for name in ("action", "programme", "message", "channel", "priority", "probability")
    },
    "explanation": _DECISION["explanation"],
}
_CUSTOMER: dict[str, Any] = {
    "customer_id": "leaver",
    "moment": "2026-05-06T16:00:00+00:00",
    "zone": "Europe/Paris",
    "joined": "2026-01-26T16:00:00+00:00",
    "attributes": {"first_name": "Ada"},
    "consents": [_CONSENT],
    "features": {"days_since_purchase": 45.0, "purchases_total": 5.0, "days_since_redemption": None},
    "scores": {"lapse": 0.92},
    "reasons": {
        "lapse": [
            {
                "column": "days_since_purchase",
                "value": 45.0,
                "words": "days since the last purchase: 45",
                "direction": "raises",
                "odds": 3.5,
            }
        ]
    },
    "open": [
        {
            "programme": "win_back",
            "opening": "win_back:first",
            "opened": "2026-05-06T16:00:00+00:00",
            "expires": "2026-05-13T16:00:00+00:00",
        }
    ],
    "closed": _CLOSED,
    "contact_pressure": {"email": {"1d": 0, "7d": 2, "28d": 5}},
    "next_free": {"email": {"moment": "2026-05-08T09:30:00+00:00", "reasons": [_REASON]}},
}
_EXPORT: dict[str, Any] = {
    "customer_id": "leaver",
    "zone": "Europe/Paris",
    "joined": "2026-01-26T16:00:00+00:00",
    "attributes": {"first_name": "Ada"},
    "merges": [],
    "profile_changes": [],
    "identities": [{"since": "2026-02-01T09:00:00+00:00", "alias": "anonymous-81f0"}],
    "consents": [{**_CONSENT, "time": "2026-01-26T16:00:00+00:00"}],
    "events": [],
    "contacts": [],
    "decisions": [],
    "outcomes": [],
    "experiments": [],
    "origins": [],
    "told_to_receivers": [],
    "kept_answers": [],
}
_PROGRAMMES: dict[str, Any] = {
    "catalogue": _READY["catalogue"],
    "programmes": [
        {
            "programme": "win_back",
            "purpose": "marketing",
            "trigger": "threshold",
            "supersedes": [],
            "messages": [{"message": "miss_you", "channels": ["email", "mail"], "state": "segment.leaving"}],
        }
    ],
}
_PUT: dict[str, Any] = {
    "name": "shop",
    "version": "0b1e7d1d4f4c9a52",
    "number": 4,
    "remarks": [{"line": 31, "severity": "warning", "message": "never wins against miss_you", "mend": None}],
}
DECISION_MADE: dict[str, Any] = {
    "type": "decision.made",
    "timestamp": _DECISION["moment"],
    "tenant": "default",
    "data": _DECISION,
}
ANSWERS: dict[tuple[str, str], Any] = {
    **{("POST", f"/v1/{call}"): {"success": True} for call in ("identify", "page", "screen", "group", "alias")},
    ("POST", "/v1/track"): {"success": True, "decision": _DECISION},
    ("POST", "/v1/batch"): {
        "success": True,
        "fates": {"kept": 99, "malformed": 1},
        "refused": [
            {
                "index": 7,
                "message_id": "m-8",
                "fate": "malformed",
                "reason": "about nobody: wanted userId or anonymousId, and no placeholder such as null; at the message",
            }
        ],
    },
    ("POST", "/v1/m"): {"success": True},
    ("POST", "/v1/content"): {
        "id": "c-5a1d0f3b7c9e2486a0b1c2d3e4f506",
        "content": {
            "action": "loyalty/tier_in_sight/web",
            "programme": "loyalty",
            "message": "tier_in_sight",
            "channel": "web",
            "subject": None,
            "body": "Uma, you are less than 100 dollars away from the next level.",
        },
    },
    ("POST", "/v1/content/{decision_id}/outcome"): {"status": "kept"},
    ("GET", "/v1/projects/{write_key}/settings"): {
        "integrations": {"Segment.io": {"apiKey": "KEY", "apiHost": "events.shop.example/v1", "protocol": "https"}},
        "plan": {},
        "edgeFunction": {},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0.0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    },
    ("GET", "/sourceConfig"): {
        "source": {
            "id": "0123456789abcdef",
            "name": "tactful",
            "writeKey": "0123456789abcdef",
            "enabled": True,
            "workspaceId": "",
            "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
            "destinations": [],
            "connections": [],
            "updatedAt": "2026-05-06T16:00:00Z",
        },
        "updatedAt": "2026-05-06T16:00:00Z",
    },
    ("POST", "/v1/decisions"): _DECISION,
    ("GET", "/v1/decisions/{decision_id}"): _DECISION,
    ("POST", "/v1/decisions/batch"): {
        "decisions": [
            {"status": 200, "decision": _SILENT},
            {
                "status": 404,
                "problem": {
                    "type": "urn:tactful:problem:unknown-customer",
                    "title": "Unknown customer",
                    "status": 404,
                    "detail": "unknown customer: got '9999'; wanted a customer whose history was loaded",
                    "hint": "Load the customer's history, then ask again.",
                    "request_id": "9f1c0d6be5b94d6a8f3d1f0f6d7e2a41",
                },
            },
        ]
    },
    ("GET", "/v1/decisions"): {
        "decisions": [
            {
                "id": "checkout-7f3a",
                "customer_id": "leaver",
                "moment": "2026-05-06T16:00:00+00:00",
                "outcome": "win_back/miss_you/email",
            }
        ],
        "next": "MjAyNi0wNS0wNlQxNjowMDowMCswMDowMCBjaGVja291dC03ZjNh",
    },
    ("POST", "/v1/decisions/{decision_id}/clearance"): {"send": False, "reasons": [_REASON]},
    ("POST", "/v1/decisions/{decision_id}/release"): {"status": "released"},
    ("POST", "/v1/decisions/{decision_id}/outcome"): {"status": "kept"},
    ("POST", "/v1/what-if"): _WHAT_IF,
    ("GET", "/v1/customers/{customer_id}"): _CUSTOMER,
    ("GET", "/v1/customers/{customer_id}/export"): _EXPORT,
    ("GET", "/v1/merges"): {
        "merges": [
            {
                "id": "9f1c0d6be5b94d6a",
                "merged_id": "anonymous-81f0",
                "customer_id": "7",
                "time": "2026-02-01T09:00:00Z",
                "key": "0123456789abcdef",
                "undone": None,
            }
        ],
        "next": None,
    },
    ("POST", "/v1/customers/{customer_id}/unmerge"): {
        "merge": "9f1c0d6be5b94d6a",
        "customer_id": "anonymous-81f0",
        "separated_from": "7",
        "identities": [],
    },
    ("DELETE", "/v1/customers/{customer_id}"): {"status": "erased", "decisions": 7, "log_emptied": True},
    ("PUT", "/v1/catalogue"): _PUT,
    ("GET", "/v1/audit"): {
        "actions": [
            {
                "number": 12,
                "time": "2026-05-06T16:00:00Z",
                "actor": "0123456789abcdef",
                "action": "customer erased",
                "subject": "5f2a8e0c91d7",
                "details": {},
                "previous": "0c1f5b7c3a2e",
                "digest": "a7d3e1904b6f",
            }
        ],
        "next": None,
    },
    ("GET", "/v1/programmes"): _PROGRAMMES,
    ("GET", "/health/live"): {"status": "alive"},
    ("GET", "/v1/events/refused"): {
        "refused": [
            {
                "fate": "malformed",
                "name": "track Order Completed",
                "reason": "not a number: wanted a number of at most 1e+09; at revenue",
                "key": "0b1e7d1d4f4c9a52",
                "count": 12,
                "first": "2026-05-06T16:00:00Z",
                "last": "2026-05-06T16:40:00Z",
            }
        ]
    },
    ("GET", "/health/startup"): {"status": "started"},
    ("GET", "/health/ready"): {"status": "ready", "outbox_age": 2.5},
    ("GET", "/health"): _READY,
}
