"""Tokens of customers: those that a shop's server signed, while they hold, and no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from tactful.serving.errors import SettingsError, UnauthenticatedError
from tactful.serving.settings import Settings
from tactful.serving.signing.customer_tokens import CustomerTokens, sign

NOW = datetime(2026, 5, 6, 16, tzinfo=UTC)
AT = int(NOW.timestamp())
OURS, NEXT = "first-secret-of-thirty-two-bytes!", "other-secret-of-thirty-two-bytes!"
TOKENS = CustomerTokens({"default": [SecretStr(OURS), SecretStr(NEXT)]})
CLAIMS: dict[str, Any] = {"sub": "7", "aud": "tactful", "iat": AT, "exp": AT + 300}


@pytest.mark.parametrize("secret", [OURS, NEXT])
def test_a_token_names_its_customer_while_it_holds(secret: str) -> None:
    token = sign("7", secret, NOW)
    for moment in (NOW - timedelta(seconds=59), NOW, NOW + timedelta(minutes=5, seconds=59)):
        assert TOKENS.customer("default", token, moment) == "7"
    for moment in (NOW - timedelta(seconds=61), NOW + timedelta(minutes=6)):
        with pytest.raises(UnauthenticatedError, match="does not hold now"):
            TOKENS.customer("default", token, moment)


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 201},
        {"aud": None},
        {"aud": "another"},
        {"iat": None},
        {"iat": "now"},
        {"exp": None},
        {"exp": AT + 901},
        {"exp": AT},
        {"exp": 1e400},
        {"iat": AT + 120, "exp": AT + 300},
    ],
    ids=str,
)
def test_a_token_with_unfit_claims_is_refused(claims: dict[str, Any]) -> None:
    whole = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    with pytest.raises(UnauthenticatedError):
        TOKENS.customer("default", jwt.encode(whole, OURS, algorithm="HS256"), NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        sign("7", "a-secret-of-thirty-two-bytes-of-no-one", NOW),
        sign("7", OURS, NOW)[:-4] + "AAAA",
        jwt.encode(CLAIMS, "", algorithm="none"),
        jwt.encode(CLAIMS, OURS * 2, algorithm="HS512"),
    ],
)
def test_a_token_of_another_signature_is_refused(token: str) -> None:
    with pytest.raises(UnauthenticatedError, match="not a customer token"):
        TOKENS.customer("default", token, NOW)
    with pytest.raises(UnauthenticatedError, match="no customer tokens are taken"):
        TOKENS.customer("other", token, NOW)


def test_secrets_come_by_tenant_and_are_long_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("TACTFUL_TOKEN_SECRETS", f'{{"default": ["{OURS}", "{NEXT}"]}}')
    settings = Settings.of(tmp_path)
    assert CustomerTokens(settings.token_secrets).customer("default", sign("7", NEXT, NOW), NOW) == "7"
    assert OURS not in repr(settings)
    monkeypatch.setenv("TACTFUL_TOKEN_SECRETS", '{"default": ["short"]}')
    with pytest.raises(SettingsError, match="too short for tenant default: wanted 32 bytes") as refused:
        Settings.of(tmp_path)
    assert 'short"' not in str(refused.value)
