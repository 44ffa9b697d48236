"""PURE. What became of jobs, in words for administrators."""

from collections.abc import Mapping

OUTCOMES: Mapping[str, str] = {
    "": "not yet",
    "succeeded": "done",
    "failed": "not done",
    "superseded": "changed by somebody else meanwhile",
    "unknown": "not confirmed",
}
STATES: Mapping[str, str] = {
    "unsigned": "waits for the signer",
    "ready": "waits for an agent",
    "taken": "an agent is at it",
    "done": "ended",
}
OPERATIONS: Mapping[str, str] = {
    "reset": "set a password",
    "reset_and_unlock": "set a password and unlock",
    "unlock": "unlock",
    "change": "change a password",
    "verify": "check a password",
    "describe": "look at the rules",
}
CAUSES: Mapping[str, str] = {
    "": "",
    # What the directory said.
    "password_rules": "the directory's rules refuse the password",
    "wrong_old_password": "the old password was wrong",
    "no_right_to_reset": "the agent's account may not set this person's password",
    "no_right_to_unlock": "the agent's account may not unlock this person",
    "person_missing": "the directory has nobody with this permanent id",
    "needs_encryption": "the directory wants an encrypted connection",
    "unsupported": "the directory does not offer this",
    "busy": "the directory was busy",
    "refused": "the directory refused, without saying why",
    # What kept the agent from asking it.
    "unreachable": "the directory did not answer",
    "untrusted": "the directory's certificate is not to be believed",
    "account": "the directory refused the agent's account",
    "configuration": "the agent's settings can't be right",
    # The agent's own reasons.
    "protected": "the person is protected in the directory",
    "outside_places": "the person is outside the places the agent may change",
    "person_disabled": "the person is disabled in the directory",
    "account_ended": "the person's account has expired in the directory",
    "held": "the agent's limit of passwords an hour is reached",
    "expired": "its time was over",
    "superseded": "somebody else changed the password meanwhile",
    "not_applied": "the directory had not done it",
    "no_answer": "the directory's answer got lost",
    "journal": "the agent could not write its journal",
    "clock_skew": "the agent's clock is wrong",
    "lease_lost": "another agent took it over",
    "key_mismatch": "sealed to a key the agent no longer has",
    "not_for_this_agent": "it was meant for another agent",
    # Envelopes the agent does not take.
    "too_large": "the agent was sent too much",
    "malformed": "the agent could not read it",
    "unknown_signer": "the agent does not know the signer",
    "bad_signature": "the agent does not believe its signature",
    "unknown_version": "the agent does not know this form of job",
    "unknown_operation": "the agent does not know this kind of job",
    "lifetime": "it claimed to be good for too long",
    "too_early": "its time had not come by the agent's clock",
    "too_late": "its time was over by the agent's clock",
    "not_for_this_key": "sealed to another key than the agent's",
    "not_sealed_for_this": "what is sealed in it belongs to another job",
    # Our own.
    "withdrawn": "no agent took it in time",
    "not_signed": "the signer refused it",
}
OBJECTIONS: Mapping[str, str] = {
    "too_old": "it waited too long for the signer",
    "lifetime": "it claimed to be good for too long",
    "seal": "its envelope was not made by this installation",
    "text": "its envelope says something else than its row",
    "evidence": "what it rests on is not there",
}
"""Why the signer refused: each but the first means that somebody wrote to the database by hand."""
TOLD: Mapping[str, str] = {
    "done": "The directory has the temporary password.",
    "partly": "Done in part only; the jobs below say what is true where.",
    "rejected": "Nothing was changed: the directory's rules refuse the password.",
    "retry": "Nothing was changed: the directory could not be reached in time.",
    "failed": "Nothing was changed: the directory refused.",
    "unknown": (
        "Not confirmed: the answer got lost. The person's password may be the temporary one or the "
        "one before. This page tells when the truth is known; or start another reset."
    ),
}
"""What several directories' outcomes mean together, as in `jobs.Told`."""


def cause_in_words(cause: str) -> str:
    """A cause of a newer version of the product stands as it is."""
    return CAUSES.get(cause, cause.replace("_", " "))


def end_in_words(outcome: str, cause: str) -> str:
    """`not done: the directory was busy`"""
    told, why = OUTCOMES.get(outcome, outcome), cause_in_words(cause)
    return f"{told}: {why}" if why else told
