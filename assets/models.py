"""Assets, their sequence counters, and reserved sequence numbers."""

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Left, Length
from django.db.models.lookups import Exact, LessThanOrEqual
from django.utils import timezone

from assets.descriptions import MAX_CREATOR_DESCRIPTION_LENGTH
from assets.document_migrations import document_field
from assets.history import AssetHistory
from assets.json_keys import DOCUMENT_COLUMNS
from assets.page_indexes import BACKFILL_INDEXES, PAGE_INDEXES
from assets.querysets import AssetQuerySet, SequenceReservationQuerySet
from common.public_ids import PUBLIC_ID_LENGTH, generate_public_id
from taxonomy.models import Subcategory

_ADDRESS_REGEX = r"^[GSLMWBPTCR]\.\d{3}\.\d{3}\.\d{3,}$"
_NAME_REGEX = r"^[GSLMWBPTCR]\.[A-Z0-9]{3}\.[A-Z0-9]{3}\.\d{3,}(:.*)?$"


def _split_part(text: Any, separator: str, position: int) -> Func:
    return Func(text, Value(separator), Value(position), function="SPLIT_PART", output_field=models.TextField())


def _search_document(*texts: Any) -> Func:
    """Join texts by line breaks, in lower case, with `_` and `-` as spaces. Migrations 0001 and 0005 repeat this."""
    return Func(*texts, function="assets_search_document", output_field=models.TextField())


def _value_origin() -> Any:
    """Return a column for the origin of a value: "" for a user or client, "backfill" for a backfill."""
    return models.CharField(max_length=10, blank=True, default="", db_default="", editable=False)


class Asset(models.Model):
    """One digital asset. `name` is its human-friendly name, `nna_address` its machine-friendly address.

    The identity (name, address, taxonomy, number) is set at registration. The row stores the names of category and
    subcategory, because clients read and search them.
    """

    class Origin(models.TextChoices):
        API = "api", "Registered"
        IMPORT = "import", "Imported"
        DEMO = "demo", "Demo data"

    public_id = models.CharField(
        "id", max_length=PUBLIC_ID_LENGTH, unique=True, default=generate_public_id, editable=False
    )
    layer = models.CharField(max_length=1)
    category = models.CharField(max_length=100)
    subcategory = models.CharField(max_length=100)
    # Without an index of its own: the one of the numbers starts with it.
    taxonomy_node = models.ForeignKey(Subcategory, on_delete=models.PROTECT, related_name="assets", db_index=False)
    sequence_number = models.PositiveIntegerField()
    name = models.CharField("HFN", max_length=512)  # unique, see the constraints
    base_name = models.GeneratedField(
        expression=_split_part(F("name"), ":", 1), output_field=models.TextField(), db_persist=True, unique=True
    )
    nna_address = models.CharField("MFA", max_length=64, unique=True)
    # Legacy rows may have an address that the taxonomy does not yield. It is kept, because clients know it.
    has_irregular_address = models.BooleanField(default=False, editable=False)

    media_key = models.CharField(max_length=600, blank=True, help_text="Key of the file in the storage.")
    media_url = models.CharField(max_length=1000, blank=True, help_text="URL of a file outside the storage.")
    mime_type = models.CharField(max_length=100, blank=True)
    file_size = models.PositiveBigIntegerField("file size (bytes)", null=True, blank=True)
    original_filename = models.CharField(max_length=255, blank=True)

    source = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    training_data = models.JSONField(null=True, blank=True)
    rights = models.JSONField(null=True, blank=True)
    components = ArrayField(models.CharField(max_length=64), default=list, blank=True)

    creator_description = models.CharField(max_length=MAX_CREATOR_DESCRIPTION_LENGTH, null=True, blank=True)
    creator_description_origin = _value_origin()
    album_art = models.TextField(null=True, blank=True, help_text="URL of an image, as submitted.")
    ai_metadata = models.JSONField("AI metadata", null=True, blank=True)
    ai_metadata_origin = _value_origin()

    registered_by = models.EmailField(max_length=254)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveIntegerField(default=0)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.API, editable=False)
    curated_at = models.DateTimeField(null=True, blank=True, editable=False)
    curated_by = models.EmailField(max_length=254, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by = models.EmailField(max_length=254, blank=True, editable=False)
    deletion_reason = models.CharField(max_length=200, blank=True, editable=False)

    # Three texts, because flags decide whether two of them are searched. A backfilled creator description is left out:
    # it repeats the name or the description. The migrations 0001 and 0005 repeat these expressions, as Django requires.
    search_text = models.GeneratedField(
        expression=_search_document(
            F("name"), F("nna_address"), F("category"), F("subcategory"), F("description"), F("tags")
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    creator_search_text = models.GeneratedField(
        expression=_search_document(
            Case(When(creator_description_origin="", then=F("creator_description")), output_field=models.TextField())
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    ai_search_text = models.GeneratedField(
        expression=_search_document(
            KeyTextTransform("generatedDescription", "ai_metadata"),
            KeyTextTransform("mood", "ai_metadata"),
            KeyTextTransform("genre", "ai_metadata"),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    # All texts in one column: if all flags are on, searching one column takes half the time of searching three.
    full_search_text = models.GeneratedField(
        expression=_search_document(
            F("name"), F("nna_address"), F("category"), F("subcategory"), F("description"), F("tags"),
            Case(When(creator_description_origin="", then=F("creator_description")), output_field=models.TextField()),
            KeyTextTransform("generatedDescription", "ai_metadata"), KeyTextTransform("mood", "ai_metadata"),
            KeyTextTransform("genre", "ai_metadata"),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )  # fmt: skip

    # The keys of the response that no flag or setting changes; see `json_keys`.
    document = document_field(tuple(DOCUMENT_COLUMNS))

    history = AssetHistory(
        excluded_fields=[
            "document",
            "search_text",
            "creator_search_text",
            "ai_search_text",
            "full_search_text",
            "base_name",
        ],
        history_change_reason_field=models.CharField(max_length=200, null=True),
    )  # fmt: skip
    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-public_id"]
        indexes = [
            *PAGE_INDEXES,
            *BACKFILL_INDEXES,
            GinIndex(fields=["tags"], name="assets_tags"),
            GinIndex(fields=["components"], name="assets_components"),
        ]  # fmt: skip
        constraints = [
            models.UniqueConstraint(fields=["taxonomy_node", "sequence_number"], name="assets_number_once"),
            # Includes what a list by name needs, so that it reads this index alone.
            models.UniqueConstraint(fields=["name"], include=["public_id", "deleted_at"], name="assets_name_once"),
            models.CheckConstraint(condition=Q(sequence_number__gte=1), name="assets_number_from_one"),
            models.CheckConstraint(condition=Q(public_id__regex=r"^[0-9a-f]{24}$"), name="assets_public_id_form"),
            models.CheckConstraint(condition=Q(layer__regex=r"^[GSLMWBPTCR]$"), name="assets_layer_known"),
            models.CheckConstraint(condition=Q(name__regex=_NAME_REGEX), name="assets_name_form"),
            models.CheckConstraint(
                condition=Q(nna_address__regex=_ADDRESS_REGEX) | Q(has_irregular_address=True),
                name="assets_address_form",
            ),
            models.CheckConstraint(
                condition=Q(Exact(Left("name", 1), F("layer"))) & Q(Exact(Left("nna_address", 1), F("layer"))),
                name="assets_layer_agrees",
            ),
            models.CheckConstraint(
                condition=Q(
                    Exact(
                        Cast(_split_part(_split_part(F("name"), ":", 1), ".", 4), models.BigIntegerField()),
                        F("sequence_number"),
                    )
                ),
                name="assets_number_agrees",
            ),
            models.CheckConstraint(condition=~Q(media_key="", media_url=""), name="assets_has_media"),
            models.CheckConstraint(
                condition=Q(creator_description=None)
                | Q(LessThanOrEqual(Length("creator_description"), MAX_CREATOR_DESCRIPTION_LENGTH)),
                name="assets_creator_description_length",
            ),
            models.CheckConstraint(
                condition=Q(ai_metadata__isnull=True)
                | Q(Exact(Func(F("ai_metadata"), function="jsonb_typeof", output_field=models.TextField()), "object")),
                name="assets_ai_metadata_object",
            ),
            models.CheckConstraint(condition=Q(origin__in=["api", "import", "demo"]), name="assets_origin_known"),
            models.CheckConstraint(
                condition=Q(creator_description_origin="")
                | Q(creator_description_origin="backfill", creator_description__isnull=False),
                name="assets_creator_description_origin",
            ),
            models.CheckConstraint(
                condition=Q(ai_metadata_origin="") | Q(ai_metadata_origin="backfill", ai_metadata__isnull=False),
                name="assets_ai_metadata_origin",
            ),
        ]
        permissions = [("curate_asset", "Can curate assets"), ("restore_asset", "Can restore deleted assets")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


class SequenceCounter(models.Model):
    """The highest number ever handed out in a subcategory, and how many live assets it has.

    Only `assets.sequences` changes `last_number`, under the lock of this row. A trigger of the asset table maintains
    `live_count`, so that totals and usage counts do not count rows.
    """

    taxonomy_node = models.OneToOneField(
        Subcategory, on_delete=models.CASCADE, primary_key=True, related_name="sequence_counter"
    )
    last_number = models.PositiveIntegerField(default=0)
    live_count = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"{self.taxonomy_node}: {self.last_number}"


class SequenceReservation(models.Model):
    """A reserved number without an asset: a registration in progress or failed, or the request of a client.

    A number is never reused, so these rows explain the gaps.
    """

    class Purpose(models.TextChoices):
        REGISTRATION = "registration", "Registration"
        REQUEST = "request", "Requested by a client"

    taxonomy_node = models.ForeignKey(Subcategory, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    purpose = models.CharField(max_length=20, choices=Purpose)
    media_key = models.CharField(max_length=600, blank=True)
    reserved_by = models.CharField(max_length=254, blank=True)
    reserved_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    released_at = models.DateTimeField(null=True, blank=True)

    objects = SequenceReservationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["taxonomy_node", "number"], name="assets_reservation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.taxonomy_node} {self.number}"

    def mark_expired(self, now: datetime) -> None:
        """Release the reservation. Its number is never used."""
        self.released_at = now
        self.save(update_fields=["released_at"])
