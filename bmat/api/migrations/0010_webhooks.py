import bmat.api.outgoing.urls
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0009_uploads'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Callback',
            fields=[
                ('url', models.CharField(max_length=2000, validators=[bmat.api.outgoing.urls.check_url])),
                ('secret', models.CharField(blank=True, editable=False, max_length=94)),
                ('enabled', models.BooleanField(default=True, help_text='Off after an answer of 410, too.')),
                ('report', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='callback', serialize=False, to='api.report')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('url', models.CharField(max_length=2000, validators=[bmat.api.outgoing.urls.check_url])),
                ('secret', models.CharField(blank=True, editable=False, max_length=94)),
                ('enabled', models.BooleanField(default=True, help_text='Off after an answer of 410, too.')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('created', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['created', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('event', models.CharField(choices=[('report.done', 'Done'), ('report.failed', 'Failed'), ('report.cancelled', 'Cancelled')], max_length=40)),
                ('body', models.TextField(help_text='JSON, the same for each attempt.')),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('delivered', 'Delivered'), ('failed', 'Failed'), ('disabled', 'Disabled')], default='pending', max_length=16)),
                ('created', models.DateTimeField(default=django.utils.timezone.now)),
                ('tries', models.PositiveSmallIntegerField(default=0, help_text='Attempts since it was written or sent again.')),
                ('attempts', models.JSONField(default=list, help_text='The last ones, and how each ended.')),
                ('attempt_started', models.DateTimeField(null=True)),
                ('lease_token', models.UUIDField(help_text='Of the attempt that is under way.', null=True)),
                ('next_attempt_at', models.DateTimeField(help_text='Of one that is under way: when its worker counts as dead.')),
                ('next_enqueue_at', models.DateTimeField()),
                ('enqueue_count', models.PositiveIntegerField(default=1)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='api.report')),
                ('webhook', models.ForeignKey(db_constraint=False, help_text='None: the callback of the report.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='api.webhook')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ['-created', 'id'],
                'indexes': [models.Index(condition=models.Q(('state', 'pending')), fields=['next_enqueue_at'], name='delivery_due')],
            },
        ),
    ]
