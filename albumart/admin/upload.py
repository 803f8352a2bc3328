"""The page on which staff upload artwork or enter its URL."""

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
from albumart.queueing import Upload, submit_artwork
from assets.album_art import normalize_album_art
from assets.models import Asset
from common.errors import InvalidInput, RegistryError


class UploadForm(forms.Form):
    image = forms.FileField(
        required=False, widget=UnfoldAdminFileFieldWidget(), help_text="JPEG, PNG or WebP, at most 10 MB."
    )
    url = forms.CharField(
        label="URL", required=False, widget=UnfoldAdminTextInputWidget(), help_text="Instead of a file: https://..."
    )

    def clean_url(self) -> str:
        try:
            url = normalize_album_art(self.cleaned_data["url"].strip()) or ""
        except InvalidInput as error:
            raise ValidationError(error.message) from error
        if url.startswith("data:"):
            raise ValidationError("Enter an http(s) URL. Upload an image as a file.")
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and bool(cleaned.get("image")) == bool(cleaned.get("url")):
            raise ValidationError("Choose a file or enter a URL, one of the two.")
        return cleaned


def handle_upload(request: HttpRequest, asset_pk: int, context: dict[str, Any]) -> HttpResponse:
    asset = get_object_or_404(Asset.objects.live(), pk=asset_pk, layer=SONGS)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        image, url = form.cleaned_data["image"], form.cleaned_data["url"]
        upload = Upload(image.read(), image.content_type or "") if image else None
        try:
            artwork = submit_artwork(
                asset, upload=upload, url=url, trigger=Artwork.Trigger.STAFF, by=request.user.email, now=timezone.now(),
                keeps_current=True,
            )  # fmt: skip
        except RegistryError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"Artwork for {asset.name} queued.")
            return HttpResponseRedirect(reverse("admin:albumart_artwork_change", args=[artwork.pk]))
    page = {"title": f"Artwork for {asset.name}", "asset": asset, "form": form}
    return TemplateResponse(request, "admin/albumart/upload.html", context | page)
