"""Views, task and applications of the obvious solution."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.obvious.settings")

import django  # noqa: E402

django.setup()

from celery import Celery  # noqa: E402
from dask import dataframe  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework.mixins import CreateModelMixin, RetrieveModelMixin  # noqa: E402
from rest_framework.routers import DefaultRouter  # noqa: E402
from rest_framework.serializers import ModelSerializer  # noqa: E402
from rest_framework.viewsets import GenericViewSet  # noqa: E402

from bench.obvious.models import Report  # noqa: E402

# What nobody can pass who answers with Django and DRF and works with Celery: nothing is worked on.
IS_EMPTY = os.environ.get("OBVIOUS_TASK") == "empty"

celery = Celery("obvious")
celery.config_from_object("django.conf:settings", namespace="CELERY")
application = get_wsgi_application()


@celery.task
def process(pid: str) -> None:
    report = Report.objects.get(pid=pid)
    if not IS_EMPTY:
        plays = dataframe.read_csv(report.input_file.path)
        totals = plays.groupby(["Song", "Date"])["Number of Plays"].sum().reset_index()
        report.output_file.name = f"{pid}.csv"
        totals.to_csv(report.output_file.path, single_file=True, index=False)
    report.status, report.finished = 1, timezone.now()
    report.save()


class ReportSerializer(ModelSerializer[Report]):
    class Meta:
        model = Report
        fields = ["pid", "status", "input_file", "output_file"]
        read_only_fields = ["pid", "status", "output_file"]


class ReportViewSet(CreateModelMixin, RetrieveModelMixin, GenericViewSet[Report]):
    queryset = Report.objects.all()
    serializer_class = ReportSerializer

    def perform_create(self, serializer: ModelSerializer[Report]) -> None:  # type: ignore[override]
        process.delay(str(serializer.save().pk))


router = DefaultRouter()
router.register("reports", ReportViewSet)
urlpatterns = [path("api/", include(router.urls))]
