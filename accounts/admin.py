"""Admin of users, groups and service keys."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import access
from accounts.models import ServiceKey, User
from accounts.service_keys import create_service_key, revoke_keys
from common.admin_filters import SearchedFilter
from common.errors import InvalidInput
from common.model_admin import BaseModelAdmin
from common.text_validation import clean_text

admin.site.unregister(Group)


class UsernameMixin:
    """Validates usernames. They are not unique, because users sign in by e-mail."""

    def clean_username(self) -> str:
        try:
            name = clean_text(self.cleaned_data["username"], field="username", is_single_line=True)  # type: ignore[attr-defined]
        except InvalidInput as error:
            raise ValidationError(error.message) from error
        if len(name) < 5:
            raise ValidationError("username must be at least 5 characters long")
        return name


class UserAddForm(UsernameMixin, UserCreationForm):
    class Meta:
        model = User
        fields = ["email", "username"]


class UserEditForm(UsernameMixin, UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"  # the fieldsets of UserAdmin select them


@admin.register(User)
class UserAdmin(BaseUserAdmin, BaseModelAdmin):
    form = UserEditForm
    add_form = UserAddForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "username", "role_label", "is_staff", "is_active", "created_at"]
    list_filter = ["role", "is_staff", "is_superuser", "is_active", ("groups", SearchedFilter), "created_at"]
    search_fields = ["email", "username", "public_id"]
    ordering = ["email"]
    filter_horizontal = []
    autocomplete_fields = ["groups"]
    readonly_fields = ["public_id", "last_login", "created_at", "updated_at"]
    actions = ["sign_out_everywhere", "deactivate", "activate"]
    # Without user_permissions: permissions come from groups only, so that the groups show who may do what.
    permission_fields = ("role", "is_staff", "is_superuser", "groups")
    fieldsets = [
        (None, {"fields": ["email", "username", "password", "is_active"]}),
        ("Permissions", {"fields": list(permission_fields)}),
        ("Important dates", {"fields": ["public_id", "last_login", "created_at", "updated_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "username", "usable_password", "password1", "password2"]})]

    @display(description="Role", ordering="role", label={"admin": "warning", "editor": "info"})
    def role_label(self, user: User) -> tuple[str, str]:
        return user.role, user.get_role_display()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Sequence[str]:
        # Only superusers may edit permissions; otherwise staff could escalate their own.
        locked = () if request.user.is_superuser else self.permission_fields
        return [*super().get_readonly_fields(request, obj), *locked]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or access.can_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Only superusers, because assets and changes refer to users; staff deactivate instead.
        return request.user.is_superuser and super().has_delete_permission(request, obj) and obj != request.user

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def sign_out_everywhere(self, request: HttpRequest, users: QuerySet[User]) -> None:
        count = access.revoke_sessions(list(users), by=request.user, now=timezone.now())
        self.message_user(request, f"{_count_users(count)} signed out everywhere.", messages.SUCCESS)

    @admin.action(description="Deactivate", permissions=["change"])
    def deactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        count = access.deactivate(list(users), by=request.user, now=timezone.now())
        self.message_user(request, f"{_count_users(count)} deactivated.", messages.SUCCESS)

    @admin.action(description="Activate", permissions=["change"])
    def activate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        count = access.activate(list(users), by=request.user, now=timezone.now())
        self.message_user(request, f"{_count_users(count)} activated.", messages.SUCCESS)


def _count_users(count: int) -> str:
    return "1 user" if count == 1 else f"{count} users"


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, BaseModelAdmin):
    """Only superusers may change groups; otherwise staff could escalate their own permissions."""

    list_display = ["name", "member_count"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(member_count=Count("user"))

    @display(description="Members", ordering="member_count")
    def member_count(self, group: Group) -> int:
        return group.member_count

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser


@admin.register(ServiceKey)
class ServiceKeyAdmin(BaseModelAdmin):
    list_display = ["name", "prefix", "state", "last_used_at", "expires_at", "created_by", "created_at"]
    list_filter = ["revoked_at", "expires_at"]
    list_select_related = ["created_by"]
    search_fields = ["name", "prefix"]
    actions = ["revoke"]

    @display(description="State", label={"usable": "success", "revoked": "danger", "expired": "warning"})
    def state(self, key: ServiceKey) -> str:
        if key.revoked_at:
            return "revoked"
        return "usable" if key.is_usable(timezone.now()) else "expired"

    def get_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> Sequence[str]:
        if obj is None:
            return ["name", "expires_at"]
        return ["name", "prefix", "state", "expires_at", "revoked_at", "last_used_at", "created_by", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: ServiceKey | None = None) -> Sequence[str]:
        return [] if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: ServiceKey | None = None) -> bool:
        return obj is None and super().has_change_permission(request)  # only for the action: keys are immutable

    def has_delete_permission(self, request: HttpRequest, obj: ServiceKey | None = None) -> bool:
        return False  # revoked keys stay as a record of who had access until when

    def save_model(self, request: HttpRequest, obj: ServiceKey, form: forms.ModelForm, change: bool) -> None:
        if change:
            return
        row, text = create_service_key(obj.name, by=request.user, expires_at=obj.expires_at)
        obj.pk = row.pk
        obj.refresh_from_db()
        message = format_html("Key of {}: <code>{}</code>. Copy it now, it is not shown again.", row.name, text)
        self.message_user(request, message, messages.WARNING)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ServiceKey]) -> None:
        count = revoke_keys(keys, by=request.user, now=timezone.now())
        self.message_user(request, f"{count} key{'' if count == 1 else 's'} revoked.", messages.SUCCESS)
