"""The four flags, off; and a record of their changes that only grows."""

from django.db import migrations

NAMES = ("creator_description", "album_art", "ai_metadata", "search_creator_description")

# Only "who" may be emptied, when the person's row is deleted.
MAKE_APPEND_ONLY = """
CREATE FUNCTION flags_refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.changed_by_id IS NULL
        AND to_jsonb(NEW) - 'changed_by_id' = to_jsonb(OLD) - 'changed_by_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the record of flag changes only grows';
END $$;
CREATE TRIGGER flags_change_append_only BEFORE UPDATE OR DELETE ON flags_flagchange
    FOR EACH ROW EXECUTE FUNCTION flags_refuse_rewrite();
"""
DROP_APPEND_ONLY = """
DROP TRIGGER flags_change_append_only ON flags_flagchange;
DROP FUNCTION flags_refuse_rewrite();
"""


def add_flags(apps, schema_editor):
    field_flag = apps.get_model("flags", "FieldFlag")
    for name in NAMES:
        field_flag.objects.get_or_create(name=name, defaults={"everyone": False, "superusers": False})


def remove_flags(apps, schema_editor):
    apps.get_model("flags", "FieldFlag").objects.filter(name__in=NAMES).delete()


class Migration(migrations.Migration):
    dependencies = [("flags", "0001_initial")]

    operations = [
        migrations.RunPython(add_flags, remove_flags),
        migrations.RunSQL(MAKE_APPEND_ONLY, DROP_APPEND_ONLY),
    ]
