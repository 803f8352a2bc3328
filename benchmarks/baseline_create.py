"""Baseline of registrations with plain Django REST framework: ModelSerializer, FileField, django-simple-history."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import FileExtensionValidator
from django.db import models, transaction
from django.db.models import Max
from django.urls import path
from django.utils import timezone
from PIL import Image, UnidentifiedImageError
from rest_framework import generics, parsers, serializers
from simple_history.models import HistoricalRecords

from benchmarks.baseline_urls import is_ready


class RegisteredAsset(models.Model):
    layer = models.CharField(max_length=1)
    category = models.CharField(max_length=100)
    subcategory = models.CharField(max_length=100)
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=512, unique=True)
    source = models.CharField(max_length=100)
    description = models.TextField()
    tags = ArrayField(models.CharField(max_length=100))
    file = models.FileField(upload_to="plain", validators=[FileExtensionValidator(["png", "jpg", "jpeg"])])
    mime_type = models.CharField(max_length=100)
    file_size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    history = HistoricalRecords(table_name="plain_assethistory")

    class Meta:
        app_label = "benchmarks"
        managed = False
        db_table = "plain_asset"

    def __str__(self) -> str:
        return self.name


class RegistrationSerializer(serializers.ModelSerializer):
    tags = serializers.JSONField()

    class Meta:
        model = RegisteredAsset
        fields = "__all__"
        read_only_fields = ("number", "name", "mime_type", "file_size", "created_at")

    def validate_file(self, file: Any) -> Any:
        try:
            file.mime_type = Image.MIME[Image.open(file).format]
        except UnidentifiedImageError as error:
            raise serializers.ValidationError("not an image") from error
        file.seek(0)
        return file


class Registration(generics.CreateAPIView):
    serializer_class = RegistrationSerializer
    parser_classes = (parsers.MultiPartParser,)

    @transaction.atomic
    def perform_create(self, serializer: Any) -> None:
        fields = serializer.validated_data
        siblings = RegisteredAsset.objects.filter(category=fields["category"], subcategory=fields["subcategory"])
        number = (siblings.aggregate(last=Max("number"))["last"] or 0) + 1
        serializer.save(
            number=number,
            name=f"{fields['layer']}.{fields['category']}.{fields['subcategory']}.{number:03d}",
            mime_type=fields["file"].mime_type,
            file_size=fields["file"].size,
            created_at=timezone.now(),
        )


urlpatterns = [path("api/health", is_ready), path("drf/assets", Registration.as_view())]
