"""The reset, one function per intent of the person. Read these and you have read the product:

start → choose → send → verify (once a gate) → choose_operation (where there is a choice) → submit;
cancel, ask_for_help, repudiate.
"""

from .common import Handle, NoFlow, Origin, Result
from .denial import deny_stranger
from .finish import cancel, choose_operation, submit
from .help import HelpRequest, ask_for_help
from .proofs import verify
from .reading import FlowView, is_waiting, read_flow, read_flow_after
from .repudiation import is_repudiable, repudiate
from .sending import choose, send
from .start import Started, rehearse, start
from .successor import repeat

__all__ = [
    "FlowView",
    "Handle",
    "HelpRequest",
    "NoFlow",
    "Origin",
    "Result",
    "Started",
    "ask_for_help",
    "cancel",
    "choose",
    "choose_operation",
    "deny_stranger",
    "is_repudiable",
    "is_waiting",
    "read_flow",
    "read_flow_after",
    "rehearse",
    "repeat",
    "repudiate",
    "send",
    "start",
    "submit",
    "verify",
]
