import accounts.search_keys
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='user',
            name='people_by_name',
        ),
        migrations.AddField(
            model_name='user',
            name='given_key',
            field=models.GeneratedField(db_persist=True, expression=accounts.search_keys.Folded(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.NullIf(models.F('given_name'), models.Value('')), models.F('display_name'))), output_field=models.CharField(max_length=256)),
        ),
        migrations.AddField(
            model_name='user',
            name='name_key',
            field=models.GeneratedField(db_persist=True, expression=accounts.search_keys.Folded('display_name'), output_field=models.CharField(max_length=256)),
        ),
        migrations.AddField(
            model_name='user',
            name='surname_key',
            field=models.GeneratedField(db_persist=True, expression=accounts.search_keys.Folded(django.db.models.functions.comparison.Coalesce(django.db.models.functions.comparison.NullIf(models.F('surname'), models.Value('')), django.db.models.functions.text.Replace(models.F('display_name'), models.Func(models.F('display_name'), django.db.models.functions.text.Replace(models.F('display_name'), models.Value(' '), models.Value('')), function='RTRIM'), models.Value('')))), output_field=models.CharField(max_length=256)),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(models.F('tenant'), accounts.search_keys.ByBytes('user_id'), name='people_by_user_id'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(models.F('tenant'), accounts.search_keys.ByBytes('name_key'), name='people_by_name'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(models.F('tenant'), accounts.search_keys.ByBytes('given_key'), name='people_by_given_name'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(models.F('tenant'), accounts.search_keys.ByBytes('surname_key'), accounts.search_keys.ByBytes('given_key'), name='people_by_surname'),
        ),
        migrations.RemoveIndex(
            model_name='user',
            name='role_holders',
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('roles', []), _negated=True), fields=['tenant', 'user_id'], name='role_holders'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('kind', 'guest')), fields=['tenant', 'user_id'], name='guests_in_order'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('is_active', False)), fields=['tenant', 'user_id'], name='disabled_in_order'),
        ),
    ]
