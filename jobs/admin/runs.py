"""Base admin class of runs: list, page of a run, actions, pace, progress, global pause."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from common.errors import RegistryError
from common.model_admin import ReadOnlyModelAdmin
from jobs import states
from jobs.admin.actions import ACTIONS, CONFIRMED_ACTIONS, UNDO_ACTIONS, run_action
from jobs.admin.forms import AdjustForm, PauseAllForm
from jobs.admin.page_context import confirmation, run_page
from jobs.progress import throughput
from jobs.run_control import Queueing, RunControl

_LABELS = {
    "planned": "info", "running": "warning", "pausing": "warning", "paused": "warning", "cancelling": "warning",
    "cancelled": "danger", "failed": "danger", "finished": "success", "finalised": "success", "undoing": "warning",
    "undone": "info", "planning": "warning", "starting": "warning",
}  # fmt: skip


class RunAdmin(ReadOnlyModelAdmin):
    """Subclasses set `control` and `queueing`, and define the progress document, the links and the titles.

    Permissions are control_MODEL and undo_MODEL of the concrete model, URL names follow Django's APP_MODEL_NAME.
    """

    control: ClassVar[RunControl]
    queueing: ClassVar[Queueing]
    row_errors_url_name: ClassVar[str]

    list_display = ("title", "shown_state", "progress", "failed_rows", "requested_by", "created_at")
    search_fields = ("reason", "requested_by")
    fields = ()
    actions_list = ("open_pause_all",)
    change_form_template = "admin/jobs/run.html"

    def progress_document(self, run: Any) -> dict[str, Any]:
        raise NotImplementedError

    def row_link(self, run: Any, row_pk: int, label: str = "") -> str:
        """Return a link to the row's own page, or its label."""
        raise NotImplementedError

    def run_heading(self, run: Any) -> str:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, self._url_name
        return [
            path("pause-all/", view(self.pause_all_view), name=name("pause_all")),
            path("<int:pk>/progress/", view(self.progress_view), name=name("progress")),
            path("<int:pk>/actions/<str:action>/", view(self.action_view), name=name("action")),
            path("<int:pk>/adjust/", view(self.adjust_view), name=name("adjust")),
            *super().get_urls(),
        ]

    def has_control_permission(self, request: HttpRequest) -> bool:
        return self._has_permission(request, "control")

    @action(description="Pause all runs", url_path="pause-or-resume", icon="front_hand", permissions=["control"])
    def open_pause_all(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self._reverse("pause_all"))

    def pause_all_view(self, request: HttpRequest) -> HttpResponse:
        """Pause all runs; if they are paused, resume them."""
        self._require_permission(request, "control")
        pause = self.control.global_pause()
        form = PauseAllForm(request.POST or None)
        if request.method == "POST" and pause:
            self.control.resume_all()
            messages.success(request, "All runs resumed.")
            return HttpResponseRedirect(self._reverse("changelist"))
        if request.method == "POST" and form.is_valid():
            try:
                self.control.pause_all(by=request.user.email, reason=form.cleaned_data["reason"], now=timezone.now())
            except RegistryError as error:
                form.add_registry_error(error)
            else:
                messages.success(request, "All runs paused. Running batches finish first.")
                return HttpResponseRedirect(self._reverse("changelist"))
        title = "Resume all runs" if pause else "Pause all runs"
        submit = "Resume" if pause else "Pause"
        return self._page(request, "form", title=title, form=None if pause else form, pause=pause, submit=submit)

    def action_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Run an action by POST. GET shows the confirmation page of actions that have one."""
        run = get_object_or_404(self.model, pk=pk)
        run_page_response = HttpResponseRedirect(self._reverse("change", pk))
        if action not in ACTIONS:
            return run_page_response
        self._require_permission(request, "undo" if action in UNDO_ACTIONS else "control")
        is_confirmation = request.method == "GET" and action in CONFIRMED_ACTIONS
        if request.method != "POST" and not is_confirmation:
            return HttpResponseNotAllowed(["POST"])
        try:
            if is_confirmation:
                context = confirmation(self.control, run, action, timezone.now())
                urls = {"submit_url": request.path, "back_url": self._reverse("change", pk)}
                return self._page(request, "confirm", **context, **urls)
            run_action(self.control, self.queueing, run, action, by=request.user.email, now=timezone.now())
        except RegistryError as error:
            messages.error(request, error.message)
        return run_page_response

    def adjust_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._require_permission(request, "control")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = AdjustForm(request.POST)
        try:
            if form.is_valid():
                self.control.adjust(pk, by=request.user.email, now=timezone.now(), **form.cleaned_data)
                messages.success(request, "Saved. Applies from the next batch.")
            else:
                errors = form.errors.items()
                messages.error(request, "; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors))
        except RegistryError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(self._reverse("change", pk))

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Return the document that run_progress.js polls."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(self.model, pk=pk)
        batches = render_to_string("admin/jobs/batches.html", {"batches": run.batches.all()[:12]})
        extra = {"phase": run.phase, "bars": throughput(run), "batchesHtml": batches}
        return JsonResponse(self.progress_document(run) | extra)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        context: dict[str, Any] = {**(extra_context or {}), **self._url_context()}
        if run:
            context |= run_page(
                run,
                can_control=self.has_control_permission(request),
                can_undo=self._has_permission(request, "undo"),
                progress=self.progress_document(run),
                row_link=self.row_link,
            )
            context["heading"] = self.run_heading(run)
        return super().change_view(request, object_id, form_url, context)

    @display(description="Run")
    def title(self, run: Any) -> str:
        return str(run)

    @display(description="State", label=_LABELS, ordering="state")
    def shown_state(self, run: Any) -> str:
        return run.phase

    @display(description="Progress")
    def progress(self, run: Any) -> SafeString:
        is_checked = run.phase in (states.PLANNING, states.STARTING)
        done, total = run.checked_rows if is_checked else run.rows_done, run.total_rows
        return format_html(
            '<progress max="{}" value="{}" aria-label="rows done"></progress> {} of {}', total or 1, done, done, total
        )

    def _url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def _reverse(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self._url_name(name)}", args=args)

    def _url_context(self) -> dict[str, str]:
        names = ("change", "changelist", "progress", "action", "adjust")
        return {f"{name}_url": f"admin:{self._url_name(name)}" for name in names} | {
            "row_errors_url": self.row_errors_url_name
        }

    def _has_permission(self, request: HttpRequest, action: str) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.{action}_{self.opts.model_name}")

    def _require_permission(self, request: HttpRequest, action: str) -> None:
        if not self._has_permission(request, action):
            raise PermissionDenied

    def _page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, **self._url_context()}
        return TemplateResponse(request, f"admin/jobs/{template}.html", {**shared, **context})
