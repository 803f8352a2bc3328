"""Triage actions of the admin, for one report or several: title, shortcut, form and function."""

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
from bugreports.deletion import delete_reports
from bugreports.duplicates import merge, unmerge
from bugreports.models import BugReport
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


def _choices(values: Sequence[str], *, empty: str) -> list[tuple[str, str]]:
    return [("", empty), *((value, value.replace("_", " ")) for value in values)]


_KINDS = _choices([kind for kind in RESOLUTION_KINDS if kind != DUPLICATE], empty="no kind")


class EmptyForm(forms.Form):
    """Form of actions without parameters."""


class ResolveForm(forms.Form):
    kind = forms.ChoiceField(choices=_KINDS, required=False, initial="fixed", widget=UnfoldAdminSelectWidget())
    commit_sha = forms.CharField(label="Commit", max_length=64, required=False, widget=UnfoldAdminTextInputWidget())
    notes = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}))


class IgnoreForm(forms.Form):
    kind = forms.ChoiceField(choices=_KINDS, required=False, initial="wont_fix", widget=UnfoldAdminSelectWidget())
    notes = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}))


class AssignForm(forms.Form):
    assignee = forms.ModelChoiceField(
        User.objects.active_staff().order_by("email"),
        required=False, empty_label="nobody", widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip


class PriorityForm(forms.Form):
    priority = forms.ChoiceField(
        choices=_choices(PRIORITIES, empty="none"), required=False, widget=UnfoldAdminSelectWidget()
    )


class DuplicateForm(forms.Form):
    duplicate_of = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget({"placeholder": "bug_20260212_130511_..."}),
        help_text="Id of the canonical report.",
    )  # fmt: skip


class RetainForm(forms.Form):
    reason = forms.CharField(max_length=triage.MAX_REASON_CHARS, widget=UnfoldAdminTextInputWidget())


class CommentForm(forms.Form):
    text = forms.CharField(label="Comment", widget=UnfoldAdminTextareaWidget({"rows": 4}))


@dataclass(frozen=True)
class ActionContext:
    """Actor, time and expected version; `version` is None for bulk actions."""

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
    shortcut: str  # key on the report page
    past_tense: str  # "3 reports ..."
    run: Run
    applies: Callable[[BugReport], bool] = lambda report: True
    form: type[forms.Form] = EmptyForm
    permission: str = TRIAGE
    closes_report: bool = False  # if true, the next report of the queue is shown

    @property
    def is_dangerous(self) -> bool:
        return self.permission == PURGE

    @property
    def needs_confirmation(self) -> bool:
        return bool(self.form.base_fields) or self.is_dangerous

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)


def _can_become(status: str) -> Callable[[BugReport], bool]:
    return lambda report: report.status != status and can_transition(report.status, status)


def _start(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.start(ids, **context.arguments)


def _resolve(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    commit_sha = data["commit_sha"] or None
    return triage.resolve(
        ids, kind=data["kind"] or None, commit_sha=commit_sha, notes=data["notes"] or None, **context.arguments
    )


def _ignore(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.ignore(ids, kind=data["kind"] or None, notes=data["notes"] or None, **context.arguments)


def _reopen(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.reopen(ids, **context.arguments)


def _assign_to_me(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.assign(ids, context.by.name, **context.arguments)


def _assign(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.assign(ids, data["assignee"].email if data["assignee"] else None, **context.arguments)


def _set_priority(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.set_priority(ids, data["priority"] or None, **context.arguments)


def _merge(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return merge(ids, data["duplicate_of"].strip(), **context.arguments)


def _unmerge(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return unmerge(ids, **context.arguments)


def _retain(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.retain(ids, data["reason"], **context.arguments)


def _release(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.release(ids, **context.arguments)


def _comment(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return triage.add_comment(ids, data["text"], by=context.by, now=context.now)


def _delete(ids: list[str], data: dict[str, Any], context: ActionContext) -> int:
    return delete_reports(ids, by=context.by, now=context.now)


def _is_duplicate(report: BugReport) -> bool:
    return report.duplicate_of_id is not None


def _is_canonical(report: BugReport) -> bool:
    return report.duplicate_of_id is None


def _is_retained(report: BugReport) -> bool:
    return report.retain


def _is_not_retained(report: BugReport) -> bool:
    return not report.retain


_ACTIONS = (
    TriageAction("start", "Start", "s", "started", _start, _can_become(IN_PROGRESS)),
    TriageAction(
        "resolve", "Resolve", "r", "resolved", _resolve, _can_become(RESOLVED), ResolveForm, closes_report=True
    ),
    TriageAction("ignore", "Ignore", "i", "ignored", _ignore, _can_become(IGNORED), IgnoreForm, closes_report=True),
    TriageAction("reopen", "Reopen", "o", "reopened", _reopen, _can_become(OPEN)),
    TriageAction("take", "Assign to me", "a", "assigned to you", _assign_to_me),
    TriageAction("assign", "Assign", "g", "assigned", _assign, form=AssignForm),
    TriageAction("prioritize", "Priority", "p", "given a priority", _set_priority, form=PriorityForm),
    TriageAction("duplicate", "Duplicate of", "d", "merged", _merge, _is_canonical, DuplicateForm, closes_report=True),
    TriageAction("unmerge", "Unmerge", "u", "unmerged", _unmerge, _is_duplicate),
    TriageAction("retain", "Retain", "h", "retained", _retain, _is_not_retained, RetainForm),
    TriageAction("release", "Release", "l", "released", _release, _is_retained),
    TriageAction("comment", "Comment", "c", "commented on", _comment, form=CommentForm),
    TriageAction("delete", "Delete", "", "deleted", _delete, permission=PURGE, closes_report=True),
)  # fmt: skip
ACTIONS: dict[str, TriageAction] = {action.name: action for action in _ACTIONS}
