"""Registered security questions: the answers are hashed, nobody can read them back."""

from typing import Any, ClassVar

from django.db import models

from tenants.scoping import TenantModel


class QuestionAnswer(TenantModel):
    """One question a person registered.

    `question` is the key of a predefined question, or the text of one of the tenant's own.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="answers")
    question = models.CharField(max_length=200)
    answer_hash = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["tenant", "user", "question"], name="question_once")
        ]

    def __str__(self) -> str:
        return self.question
