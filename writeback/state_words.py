"""PURE. The states of a directory's connection, in words for administrators: what each means, and
what mends it."""

from collections.abc import Mapping
from dataclasses import dataclass

from .connectors.base import Trouble
from .health import State


@dataclass(frozen=True)
class Words:
    """name: a few words for a list; means: what is so; fix: what to do, empty for nothing."""

    name: str
    means: str
    fix: str = ""


STATES: Mapping[State, Words] = {
    "healthy": Words("Connected", "An agent waits for jobs, and its version is current."),
    "healthy_outdated": Words(
        "Connected, old version",
        "An agent waits for jobs, but none has a current version.",
        "Install the current version of the agent when it suits you.",
    ),
    "unknown_outdated": Words(
        "Not known, version too old",
        "The agents are too old to say how they are, so passwords may or may not be written.",
        "Install the current version of the agent.",
    ),
    "disconnected": Words(
        "Not connected",
        "Passwords can't be written: no agent has called for more than a minute, or the directory "
        "does not answer it. People are told to try again later, before they type a password.",
        "See that an agent's computer is on, that `sspr-agent run` runs there, and that it reaches "
        "this address; then run `sspr-agent status` there.",
    ),
    "not_configured": Words(
        "Not set up",
        "Passwords can't be written: there is no confirmed agent that is ready for jobs.",
        "Make a code for an agent, enrol it, and confirm it after comparing the words.",
    ),
    "service_fault": Words(
        "Fault on our side",
        "Passwords can't be written at the moment, and the cause is in this service and not at the "
        "agents.",
        "Wait some minutes. If it stays so, tell the people who run this service.",
    ),
}

TROUBLES: Mapping[Trouble, Words] = {
    "unreachable": Words(
        "Directory does not answer",
        "The agent runs, and none of the directory's servers answers it.",
        "See that the directory's servers are on, and that the agent's computer reaches them over "
        "LDAPS.",
    ),
    "untrusted": Words(
        "Certificate not to be believed",
        "The certificate of the directory's server is expired, for another name, or of an issuer "
        "the agent does not know. No password is sent to such a server.",
        "Renew the certificate, or give the agent the certificate of its issuer.",
    ),
    "account": Words(
        "Agent's account refused",
        "The directory does not let the account in which the agent uses.",
        "Set the account's password anew, in the directory and in the agent's secret file, and see "
        "that the account is not disabled, locked or expired.",
    ),
    "configuration": Words(
        "Agent's settings can't be right",
        "What is set up at the agent about the directory can't be right.",
        "Run `sspr-agent status` on the agent's computer; it names the setting.",
    ),
}

OWN_TROUBLES: Mapping[Trouble, Words] = {
    "unreachable": Words(
        "Directory does not answer this product",
        "None of the directory's servers answers this product, which reaches it directly.",
        "See that the directory's servers are on, and that they can be reached from here.",
    ),
    "untrusted": Words(
        "Certificate not to be believed here",
        "The certificate of the directory's server is expired, for another name, or of an issuer "
        "this product does not know. No password is sent to such a server.",
        "Renew the certificate, or write the certificate of its issuer as `ca_pem`.",
    ),
    "account": Words(
        "Account refused",
        "The directory does not let the account in which this product uses, or the account may not "
        "reset the password of the account for drills.",
        "Write the secret anew, and see that the account is not disabled, locked or expired.",
    ),
    "configuration": Words(
        "Settings can't be right",
        "What is set up here about the directory can't be right, or its host may not be reached "
        "from here any more.",
        "Open “Reach it directly”, which says what is wrong with a setting when it is saved.",
    ),
}
"""The same where there is no agent, because the product reaches the directory itself."""

WORKER_AWAY = Words(
    "Not connected from here",
    "Passwords can't be written: this product reaches the directory itself, and its worker was not "
    "heard of for more than a minute.",
    "Tell the people who run this service that its worker is not at work.",
)

DAMAGED_JOURNAL = Words(
    "Journal of an agent damaged",
    "An agent's journal is damaged, or was put back to an older one. So that nothing is done "
    "twice, it gets no passwords to set.",
    "Revoke that agent, find out who changed its files, and enrol it anew.",
)
SWITCHED_OFF = Words(
    "Switched off",
    "Passwords are not written to this directory, because somebody switched that off.",
    "Switch “Passwords are written” on; no agent has to be enrolled anew.",
)


def explained(
    state: State,
    *,
    trouble: str = "",
    damaged: bool = False,
    enabled: bool = True,
    direct: bool = False,
) -> list[Words]:
    """Everything there is to say, the most important first. At least one.

    trouble: what the agents say of the directory; a state that only follows from it is left out.
    damaged: whether the journal of an active agent can't be believed. direct: whether the product
    reaches the directory itself.
    """
    found = [] if enabled else [SWITCHED_OFF]
    known = (
        find_trouble(trouble, direct=direct)
        if state in {"disconnected", "not_configured"}
        else None
    )
    if known is not None:
        found.append(known)
    if damaged:
        found.append(DAMAGED_JOURNAL)
    follows = known is not None or (damaged and state == "not_configured")
    is_away = direct and state == "disconnected"
    return found if follows else [*found, WORKER_AWAY if is_away else STATES[state]]


def find_trouble(trouble: str, *, direct: bool = False) -> Words | None:
    known = OWN_TROUBLES if direct else TROUBLES
    return next((words for name, words in known.items() if name == trouble), None)
