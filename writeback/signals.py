"""What jobs report upwards: the one edge of the house that goes up (design §3)."""

from django.dispatch import Signal

job_finished = Signal()
"""Sent in the transaction that ends a job, or that corrects an unknown one.

tenant: UUID; purpose and origin: of the job; attempt; jobs: all of this origin and attempt, in a
steady order, of which none is open any more; now; changes: what is written with it.
"""
