"""Rename columns, labels and the table of artwork runs, whose runs become backfill runs in the next migration."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("albumart", "0005_permission_names"), ("backfills", "0004_stored_terms")]

    operations = [
        migrations.RemoveConstraint(
            model_name="artworksource",
            name="albumart_source_breaker_known",
        ),
        migrations.RenameField("artwork", "facts", "measurements"),
        migrations.RenameField("artworksource", "breaker", "circuit_state"),
        migrations.RenameField("artworksource", "failures", "consecutive_failures"),
        migrations.AddField("artwork", "claim_expires_at", models.DateTimeField(editable=False, null=True)),
        migrations.RenameModel("ArtworkRun", "ArtworkCohort"),
        migrations.RenameField("artwork", "run", "cohort"),
        migrations.AlterModelOptions(name="artworkcohort", options={"verbose_name": "cohort", "ordering": ["-pk"]}),
        migrations.AddField(
            model_name="artworkcohort",
            name="run",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="artwork_cohort",
                to="backfills.backfillrun",
            ),
        ),
        # The next migrations move these two columns to the backfill run. The way back fills them again.
        migrations.AlterField("artworkcohort", "requested_by", models.CharField(max_length=254, null=True)),
        migrations.AlterField("artworkcohort", "requested_at", models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="artworkcohort",
            name="asset_pks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                default=list,
                help_text="Songs without artwork when the run began.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="artwork",
            name="cohort",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="artworks",
                to="albumart.artworkcohort",
                verbose_name="run",
            ),
        ),
        migrations.AlterModelOptions(
            name="artwork",
            options={
                "ordering": ["-requested_at", "-pk"],
                "permissions": [("process_artwork", "Can fetch, upload and retry artwork")],
                "verbose_name": "artwork",
                "verbose_name_plural": "artwork",
            },
        ),
        migrations.AlterModelOptions(
            name="artworksource",
            options={
                "ordering": ["pattern"],
                "permissions": [("reset_circuit", "Can reset the circuit breaker of a source")],
                "verbose_name": "source",
            },
        ),
        migrations.RemoveIndex(
            model_name="artwork",
            name="albumart_running",
        ),
        migrations.AlterField(
            model_name="artwork",
            name="measurements",
            field=models.JSONField(default=dict, help_text="Measured values; the quality is computed from them."),
        ),
        migrations.AlterField(
            model_name="artwork",
            name="source_url",
            field=models.CharField(blank=True, max_length=2048, verbose_name="source URL"),
        ),
        migrations.AlterField(
            model_name="artwork",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "Pending"),
                    ("running", "Processing"),
                    ("stored", "Stored"),
                    ("refused", "Rejected"),
                    ("absent", "Not found"),
                    ("failed", "Failed"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="artwork",
            name="trigger",
            field=models.CharField(
                choices=[("client", "Registration or edit"), ("staff", "Staff"), ("automation", "Run")], max_length=10
            ),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="circuit_state",
            field=models.CharField(
                choices=[("closed", "Closed"), ("open", "Open"), ("half_open", "Half open")],
                default="closed",
                editable=False,
                max_length=10,
                verbose_name="circuit breaker",
            ),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="consecutive_failures",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="consecutive_openings",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="is_enabled",
            field=models.BooleanField(default=True, verbose_name="enabled"),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="max_redirects",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Redirects to follow, each to a host of this list.",
                validators=[django.core.validators.MaxValueValidator(3)],
            ),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="pattern",
            field=models.CharField(
                help_text="A host, or a domain with a leading dot for all hosts below it: .mzstatic.com",
                max_length=253,
                unique=True,
                validators=[
                    django.core.validators.RegexValidator(
                        "^\\.?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
                        "Enter a host in lower case, or .example.org for all hosts below it",
                    )
                ],
                verbose_name="host",
            ),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="probe_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="next request at"),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="rate_limited_until",
            field=models.DateTimeField(editable=False, null=True, verbose_name="rate limited until"),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="requests_per_minute",
            field=models.PositiveIntegerField(
                default=60,
                help_text="Limit of all workers together.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(6000),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="successes",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="successes while half open"),
        ),
        migrations.AlterField(
            model_name="artworksource",
            name="treat_403_as_rate_limit",
            field=models.BooleanField(
                default=False,
                help_text="For sources that answer 403 to too many requests.",
                verbose_name="Treat 403 as rate limiting",
            ),
        ),
        migrations.AlterField(
            model_name="artworkstep",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("running", "Running"),
                    ("done", "Done"),
                    ("skipped", "Skipped"),
                    ("refused", "Rejected"),
                    ("absent", "Not found"),
                    ("unavailable", "Unavailable, will be retried"),
                    ("waited", "Deferred"),
                    ("died", "Worker lost"),
                ],
                default="running",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="circuitchange",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="circuit_changes", to="albumart.artworksource"
            ),
        ),
        migrations.AlterField(
            model_name="historicalartworksource",
            name="is_enabled",
            field=models.BooleanField(default=True, verbose_name="enabled"),
        ),
        migrations.AlterField(
            model_name="historicalartworksource",
            name="max_redirects",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Redirects to follow, each to a host of this list.",
                validators=[django.core.validators.MaxValueValidator(3)],
            ),
        ),
        migrations.AlterField(
            model_name="historicalartworksource",
            name="pattern",
            field=models.CharField(
                db_index=True,
                help_text="A host, or a domain with a leading dot for all hosts below it: .mzstatic.com",
                max_length=253,
                validators=[
                    django.core.validators.RegexValidator(
                        "^\\.?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
                        "Enter a host in lower case, or .example.org for all hosts below it",
                    )
                ],
                verbose_name="host",
            ),
        ),
        migrations.AlterField(
            model_name="historicalartworksource",
            name="requests_per_minute",
            field=models.PositiveIntegerField(
                default=60,
                help_text="Limit of all workers together.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(6000),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="historicalartworksource",
            name="treat_403_as_rate_limit",
            field=models.BooleanField(
                default=False,
                help_text="For sources that answer 403 to too many requests.",
                verbose_name="Treat 403 as rate limiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="artworksource",
            constraint=models.CheckConstraint(
                condition=models.Q(("circuit_state__in", ["closed", "open", "half_open"])),
                name="albumart_source_breaker_known",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="artwork",
            name="albumart_running_is_claimed",
        ),
    ]
