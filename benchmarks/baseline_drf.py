"""Baseline with plain Django REST framework: ModelSerializer, django-filter, SearchFilter, page numbers."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django_filters import rest_framework as filters
from rest_framework import generics, pagination, serializers
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.baseline_table import COLUMNS


class PlainAsset(models.Model):
    public_id = models.CharField(max_length=24)
    layer = models.CharField(max_length=1)
    category = models.CharField(max_length=100)
    subcategory = models.CharField(max_length=100)
    name = models.CharField(max_length=512, unique=True)
    nna_address = models.CharField(max_length=64)
    media_key = models.CharField(max_length=600)
    media_url = models.CharField(max_length=1000)
    source = models.CharField(max_length=100)
    tags = ArrayField(models.CharField(max_length=100))
    description = models.TextField()
    training_data = models.JSONField(null=True)
    rights = models.JSONField(null=True)
    components = ArrayField(models.CharField(max_length=64))
    registered_by = models.EmailField(max_length=254)
    file_size = models.PositiveBigIntegerField(null=True)
    mime_type = models.CharField(max_length=100)
    original_filename = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    revision = models.PositiveIntegerField()
    creator_description = models.TextField(null=True)
    album_art = models.TextField(null=True)
    ai_metadata = models.JSONField(null=True)

    class Meta:
        app_label = "benchmarks"
        managed = False
        db_table = "baseline_asset"

    def __str__(self) -> str:
        return self.name


class PlainSerializer(serializers.ModelSerializer):
    class Meta:
        model = PlainAsset
        fields = COLUMNS


class PlainFilter(filters.FilterSet):
    tags = filters.CharFilter(method="filter_tags")

    class Meta:
        model = PlainAsset
        fields = ("layer", "category")

    def filter_tags(self, assets: models.QuerySet, name: str, value: str) -> models.QuerySet:
        return assets.filter(tags__contains=[value])


class PlainPages(pagination.PageNumberPagination):
    page_size = 50


class PlainList(generics.ListAPIView):
    queryset = PlainAsset.objects.order_by("-created_at", "-id")
    serializer_class = PlainSerializer
    pagination_class = PlainPages
    filter_backends = (filters.DjangoFilterBackend, SearchFilter)
    filterset_class = PlainFilter
    search_fields = ("name", "category", "subcategory", "description", "creator_description")


class PlainDetail(generics.RetrieveAPIView):
    queryset = PlainAsset.objects.all()
    serializer_class = PlainSerializer
    lookup_field = "name"


class PlainBatch(APIView):
    def post(self, request: Request) -> Response:
        assets = PlainAsset.objects.filter(name__in=request.data["addresses"])
        return Response(PlainSerializer(assets, many=True).data)
