from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("bugreports", "0003_field_terms"),
        ("notifications", "0001_initial"),
    ]

    # The table stays: notifications.Notification uses it.
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="Notification")]),
    ]
