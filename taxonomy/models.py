"""Layers, categories and subcategories, the three levels of every address, and the versions of the taxonomy."""

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower

from taxonomy.querysets import SubcategoryQuerySet, TaxonomyVersionQuerySet

_CODE = r"^[A-Z0-9]{3}$"  # with digits, as in Y2K or W3S


class Layer(models.Model):
    """One of at most ten kinds of asset. Its number is the first part of a numeric MFA."""

    code = models.CharField(max_length=1, unique=True)
    number = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=models.Q(code__regex=r"^[GSLMWBPTCR]$"), name="taxonomy_layer_code"),
            models.CheckConstraint(condition=models.Q(number__range=(1, 10)), name="taxonomy_layer_number"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Category(models.Model):
    layer = models.ForeignKey(Layer, on_delete=models.PROTECT, related_name="categories")
    code = models.CharField(max_length=3)
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)

    class Meta:
        ordering = ["layer__number", "number"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["layer", "code"], name="taxonomy_category_code_once"),
            models.UniqueConstraint(
                fields=["layer", "number"], name="taxonomy_category_number_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.UniqueConstraint(F("layer"), Lower("name"), name="taxonomy_category_name_once"),
            models.CheckConstraint(condition=models.Q(code__regex=_CODE), name="taxonomy_category_code"),
            models.CheckConstraint(condition=models.Q(number__range=(1, 999)), name="taxonomy_category_number"),
        ]

    def __str__(self) -> str:
        return f"{self.layer.code}.{self.code} {self.name}"


class Subcategory(models.Model):
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="subcategories")
    code = models.CharField(max_length=3)
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)

    objects = SubcategoryQuerySet.as_manager()

    class Meta:
        ordering = ["category__layer__number", "category__number", "number"]
        verbose_name_plural = "subcategories"
        constraints = [
            models.UniqueConstraint(fields=["category", "code"], name="taxonomy_subcategory_code_once"),
            models.UniqueConstraint(
                fields=["category", "number"],
                name="taxonomy_subcategory_number_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.UniqueConstraint(F("category"), Lower("name"), name="taxonomy_subcategory_name_once"),
            models.CheckConstraint(condition=models.Q(code__regex=_CODE), name="taxonomy_subcategory_code"),
            models.CheckConstraint(condition=models.Q(number__range=(1, 999)), name="taxonomy_subcategory_number"),
        ]

    def __str__(self) -> str:
        return f"{self.category.layer.code}.{self.category.code}.{self.code} {self.name}"


class TaxonomyVersion(models.Model):
    """A stored state of the whole taxonomy. The newest row is the current one; clients see its `label`."""

    class Origin(models.TextChoices):
        IMPORT = "import", "Import of a document"
        EDIT = "edit", "Edit by staff"

    label = models.CharField(max_length=40, unique=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the exported document without its version.")
    document = models.TextField(help_text="The whole taxonomy of this version, in canonical JSON.")
    changes = models.JSONField(
        default=list,
        help_text="[{type: added|modified|removed, layer, category, subcategory}] against the version before.",
    )
    origin = models.CharField(max_length=10, choices=Origin)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    objects = TaxonomyVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        get_latest_by = "pk"
        verbose_name = "version"

    def __str__(self) -> str:
        return self.label
