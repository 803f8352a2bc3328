"""Staff choose a picture themselves: a file, or another address. It is theirs, so automation leaves it alone."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from albumart.backend import SONGS
from albumart.models import Artwork
from albumart.queueing import request_artwork, upload_artwork
from assets.descriptions import check_album_art
from assets.models import Asset
from common.errors import InvalidInput, RegistryError


class UploadForm(forms.Form):
    picture = forms.FileField(
        required=False, widget=UnfoldAdminFileFieldWidget(), help_text="JPEG, PNG or WebP, at most 10 MB."
    )
    address = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget(), help_text="Or where it is: https://..."
    )

    def clean_address(self) -> str:
        try:
            address = check_album_art(self.cleaned_data["address"].strip()) or ""
        except InvalidInput as error:
            raise ValidationError(error.message) from error
        if address.startswith("data:"):
            raise ValidationError("An address; a picture itself is uploaded above")
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and bool(cleaned.get("picture")) == bool(cleaned.get("address")):
            raise ValidationError("Choose a picture or give an address, one of the two")
        return cleaned


def handle_upload(request: HttpRequest, asset_pk: int, context: dict[str, Any]) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.live(), pk=asset_pk, layer=SONGS)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            artwork = _ask(asset, form.cleaned_data, by=request.user.email)
        except RegistryError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"The picture for {asset.name} is on its way.")
            return HttpResponseRedirect(reverse("admin:albumart_artwork_change", args=[artwork.pk]))
    page = {"title": f"Picture for {asset.name}", "asset": asset, "form": form}
    return TemplateResponse(request, "admin/albumart/upload.html", context | page)


def _ask(asset: Asset, spec: dict[str, Any], *, by: str) -> Artwork:
    """What clients are shown stays until the new picture is stored."""
    facts: dict[str, Any] = {
        "trigger": Artwork.Trigger.STAFF, "by": by, "now": timezone.now(),
        "is_current": not Artwork.objects.current().filter(asset=asset, status=Artwork.Status.STORED).exists(),
    }  # fmt: skip
    if spec["picture"]:
        picture = spec["picture"]
        return upload_artwork(asset, content=picture.read(), declared_type=picture.content_type or "", **facts)
    return request_artwork(asset, source_url=spec["address"], **facts)
