"""What is asked when groups are edited."""

from datetime import datetime
from typing import Any

from django import forms

from ..groups import create_group, nest_group, remove_group, rename_group, unnest_group
from ..models import Group
from .forms import GroupField, IntentForm


class NewGroupForm(IntentForm):
    submit, done = "Add group", "The group is there. Now add members."
    name = forms.CharField(label="Name", max_length=100)

    def save(self, now: datetime) -> Group:
        return create_group(self.cleaned_data["name"], by=self.by.party, now=now)


class RenameGroupForm(IntentForm):
    submit, done = "Rename", "The group has its new name."
    name = forms.CharField(label="Name", max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"name": self.row.name}

    def save(self, now: datetime) -> Group:
        group: Group = Group.objects.get(pk=self.row.pk)
        rename_group(group, self.cleaned_data["name"], by=self.by.party, now=now)
        return group


class NestForm(IntentForm):
    submit, done = "Put inside", "The group is inside; its members count here too."
    inner = GroupField(label="Group", help_text="The name of the group that goes inside this one.")

    def save(self, now: datetime) -> Group:
        nest_group(self.row, self.cleaned_data["inner"], by=self.by.party, now=now)
        group: Group = self.row
        return group


class UnnestForm(IntentForm):
    submit, done = "Take out", "The group is no longer inside."
    inner: Any = forms.ModelChoiceField(label="Group", queryset=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["inner"]
        field.queryset = Group.objects.filter(outer__parent=self.row).order_by("name")

    def save(self, now: datetime) -> Group:
        unnest_group(self.row, self.cleaned_data["inner"], by=self.by.party, now=now)
        group: Group = self.row
        return group


class RemoveGroupForm(IntentForm):
    submit, done = "Remove group", "The group is removed; its people stay."
    intro = (
        "The group goes, the people and groups in it stay. It can't be removed while the reset "
        "policy points at it."
    )

    def save(self, now: datetime) -> None:
        remove_group(self.row, by=self.by.party, now=now)
