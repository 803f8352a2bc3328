"""Baseline with plain Django REST framework: ModelSerializer, SearchFilter, page numbers."""

from rest_framework import filters, generics, pagination, serializers

from assets.models import Asset


class PlainSerializer(serializers.ModelSerializer):
    class Meta:
        model = Asset
        fields = (
            "public_id", "layer", "category", "subcategory", "name", "nna_address", "media_key", "media_url", "source",
            "tags", "description", "training_data", "rights", "components", "registered_by", "file_size", "mime_type",
            "original_filename", "created_at", "updated_at", "revision", "creator_description", "album_art",
            "ai_metadata",
        )  # fmt: skip


class PlainPages(pagination.PageNumberPagination):
    page_size = 50


class PlainList(generics.ListAPIView):
    queryset = Asset.objects.filter(deleted_at=None).order_by("-created_at")
    serializer_class = PlainSerializer
    pagination_class = PlainPages
    filter_backends = (filters.SearchFilter,)
    search_fields = ("name", "nna_address", "category", "subcategory", "description", "creator_description")


class PlainDetail(generics.RetrieveAPIView):
    queryset = Asset.objects.filter(deleted_at=None)
    serializer_class = PlainSerializer
    lookup_field = "name"
