from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_staff_groups")]

    operations = [
        migrations.AlterField(
            "user", "is_active", models.BooleanField("active", default=True, help_text="Inactive users cannot sign in.")
        ),
        migrations.AlterField(
            "user",
            "is_staff",
            models.BooleanField("staff", default=False, help_text="Staff can sign in to this admin."),
        ),
        migrations.AlterField(
            "servicekey", "name", models.CharField(max_length=100, unique=True, help_text="Name of the service.")
        ),
        migrations.AlterField(
            "servicekey",
            "prefix",
            models.CharField(max_length=12, editable=False, help_text="First characters, to recognize the key."),
        ),
        migrations.AlterField(
            "servicekey",
            "expires_at",
            models.DateTimeField(null=True, blank=True, help_text="Empty for a key that does not expire."),
        ),
    ]
