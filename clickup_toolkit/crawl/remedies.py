"""What refusals mean, and what the reader of a gap can do, by ClickUp's error code."""

from __future__ import annotations

from clickup_toolkit.errors import ClickUpError, Refused, TokenRejected

__all__ = ["TOKEN_CODES", "remedy_for", "token_rejected"]

_UNAUTHORISED = 401

TOKEN_CODES = frozenset({"OAUTH_017", "OAUTH_018", "OAUTH_019", "OAUTH_021", "OAUTH_025", "OAUTH_077"})
"""Codes that mean a refused token, or, sometimes, a wrong id: ``GET /user`` tells which."""

_REMEDIES = {
    "TIMEENTRY_059": "Use the token of a workspace owner or admin: only they may read other people's time.",
    "TIMEENTRY_007": "ClickUp does not know this person as one who tracks time; nothing is to be done.",
    "TIS_027": "Switch on the Time in Status ClickApp; it needs a plan that has it.",
    "TEAM_110": "This needs ClickUp's Enterprise plan.",
    "TEAMM_002": "Use the token of a workspace owner or admin.",
    "ACCESS_083": "Share the task with the token's user, or use the token of somebody who sees it.",
    "ITEM_013": "The task was deleted while it was read; nothing is to be done.",
    "OAUTH_192": "Authorise the OAuth app for this workspace.",
    "BROKEN_ANSWER": "ClickUp kept sending a broken answer: run the export again later.",
}
_SHARE = "It is gone, or the token's user does not see it: share it, or use an owner's or admin's token."
_LATER = "Run the export again later; if it stays, write to ClickUp's support with the code."


def remedy_for(error: ClickUpError) -> str:
    """Return what can be done about an error that became a gap."""
    known = _REMEDIES.get(error.code)
    if known:
        return known
    return _LATER if error.retryable else _SHARE


def token_rejected(refusal: Refused) -> ClickUpError:
    """Return what a refusal of the first questions means: a wrong token, or not ClickUp at all."""
    if refusal.code not in TOKEN_CODES and refusal.status != _UNAUTHORISED:
        return ClickUpError(
            refusal.message,
            "Check CLICKUP_API_URL, and whether a proxy answers in ClickUp's place.",
            status=refusal.status,
            code=refusal.code,
        )
    return TokenRejected(
        f"ClickUp does not accept the token ({refusal.code}).",
        "Set CLICKUP_TOKEN to a valid one: in ClickUp, your avatar, Settings, Apps, API Token. "
        "Personal tokens start with pk_.",
        status=refusal.status,
        code=refusal.code,
    )
