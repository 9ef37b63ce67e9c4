from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "bmat.web"
