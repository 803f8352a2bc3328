"""What staff can do with reports in the admin: a title, a key, a form, and the verb it calls. For one and for many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.models import User
from bugreports import triage
from bugreports.audit_log import Actor
from bugreports.duplicates import merge, unmerge
from bugreports.models import BugReport
from bugreports.retention import delete_reports
from bugreports.statuses import (
    DUPLICATE,
    IGNORED,
    IN_PROGRESS,
    OPEN,
    PRIORITIES,
    RESOLUTION_KINDS,
    RESOLVED,
    can_transition,
)

TRIAGE, PURGE = "bugreports.triage_bugreport", "bugreports.purge_bugreport"


def _words(words: Sequence[str], *, empty: str) -> list[tuple[str, str]]:
    return [("", empty), *((word, word.replace("_", " ")) for word in words)]


_KINDS = _words([kind for kind in RESOLUTION_KINDS if kind != DUPLICATE], empty="no kind")


class EmptyForm(forms.Form):
    """For verbs that need no words."""


class ResolveForm(forms.Form):
    kind = forms.ChoiceField(choices=_KINDS, required=False, initial="fixed", widget=UnfoldAdminSelectWidget())
    commit_sha = forms.CharField(label="Commit", max_length=64, required=False, widget=UnfoldAdminTextInputWidget())
    notes = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}))


class IgnoreForm(forms.Form):
    kind = forms.ChoiceField(choices=_KINDS, required=False, initial="wont_fix", widget=UnfoldAdminSelectWidget())
    notes = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}))


class AssignForm(forms.Form):
    assignee = forms.ModelChoiceField(
        User.objects.filter(is_staff=True, is_active=True).order_by("email"),
        required=False, empty_label="nobody", widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip


class PriorityForm(forms.Form):
    priority = forms.ChoiceField(
        choices=_words(PRIORITIES, empty="none"), required=False, widget=UnfoldAdminSelectWidget()
    )


class DuplicateForm(forms.Form):
    duplicate_of = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget({"placeholder": "bug_20260212_130511_..."}),
        help_text="The id of the report that is worked on.",
    )  # fmt: skip


class RetainForm(forms.Form):
    reason = forms.CharField(max_length=triage.MAX_REASON_CHARS, widget=UnfoldAdminTextInputWidget())


class CommentForm(forms.Form):
    text = forms.CharField(label="Comment", widget=UnfoldAdminTextareaWidget({"rows": 4}))


@dataclass(frozen=True)
class ActionContext:
    """Who does it, when, and to which version; None for many at once."""

    by: Actor
    now: datetime
    version: int | None

    @property
    def arguments(self) -> dict[str, Any]:
        return {"by": self.by, "now": self.now, "version": self.version}


Run = Callable[[list[str], dict[str, Any], ActionContext], int]


@dataclass(frozen=True)
class TriageAction:
    name: str
    title: str
    key: str  # on the keyboard
    done: str  # "3 reports ..."
    run: Run
    applies: Callable[[BugReport], bool] = lambda report: True
    form: type[forms.Form] = EmptyForm
    permission: str = TRIAGE
    closes_report: bool = False  # afterwards the next report of the queue is shown

    @property
    def asks(self) -> bool:
        return bool(self.form.base_fields) or self.permission == PURGE

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)


def _moves_to(status: str) -> Callable[[BugReport], bool]:
    return lambda report: report.status != status and can_transition(report.status, status)


VERBS: dict[str, TriageAction] = {
    verb.name: verb
    for verb in (
        TriageAction("start", "Start", "s", "started", lambda ids, said, call: triage.start(ids, **call.arguments),
             _moves_to(IN_PROGRESS)),
        TriageAction("resolve", "Resolve", "r", "resolved",
             lambda ids, said, call: triage.resolve(
                 ids, kind=said["kind"] or None, commit_sha=said["commit_sha"] or None, notes=said["notes"] or None,
                 **call.arguments),
             _moves_to(RESOLVED), ResolveForm, closes_report=True),
        TriageAction("ignore", "Ignore", "i", "ignored",
             lambda ids, said, call: triage.ignore(
                 ids, kind=said["kind"] or None, notes=said["notes"] or None, **call.arguments),
             _moves_to(IGNORED), IgnoreForm, closes_report=True),
        TriageAction("reopen", "Reopen", "o", "reopened", lambda ids, said, call: triage.reopen(ids, **call.arguments),
             _moves_to(OPEN)),
        TriageAction("take", "Assign to me", "a", "assigned to you",
             lambda ids, said, call: triage.assign(ids, call.by.name, **call.arguments)),
        TriageAction("assign", "Assign", "g", "assigned",
             lambda ids, said, call: triage.assign(
                 ids, said["assignee"].email if said["assignee"] else None, **call.arguments),
             form=AssignForm),
        TriageAction("prioritise", "Priority", "p", "given a priority",
             lambda ids, said, call: triage.set_priority(ids, said["priority"] or None, **call.arguments),
             form=PriorityForm),
        TriageAction("duplicate", "Duplicate of", "d", "merged",
             lambda ids, said, call: merge(ids, said["duplicate_of"].strip(), **call.arguments),
             lambda report: report.duplicate_of_id is None, DuplicateForm, closes_report=True),
        TriageAction("unmerge", "Unmerge", "u", "on their own again", lambda ids, said, call: unmerge(ids, **call.arguments),
             lambda report: report.duplicate_of_id is not None),
        TriageAction("retain", "Retain", "h", "retained",
             lambda ids, said, call: triage.retain(ids, said["reason"], **call.arguments),
             lambda report: not report.retain, RetainForm),
        TriageAction("release", "Release", "l", "released", lambda ids, said, call: triage.release(ids, **call.arguments),
             lambda report: report.retain),
        TriageAction("comment", "Comment", "c", "commented on",
             lambda ids, said, call: triage.add_comment(ids, said["text"], by=call.by, now=call.now), form=CommentForm),
        TriageAction("delete", "Delete", "", "deleted",
             lambda ids, said, call: delete_reports(ids, by=call.by, now=call.now), permission=PURGE, closes_report=True),
    )
}  # fmt: skip
