"""The page's addresses. The modules in `static/web` draw what each stands for."""

from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from bmat.web.views import LoginPage, page

PID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

urlpatterns = [
    path("", page, name="home"),
    re_path(rf"^reports/{PID}/?$", page, name="report-page"),
    re_path(rf"^reports/{PID}/compare/{PID}/?$", page, name="compare-page"),
    re_path(r"^account/?$", page, name="account-page"),
    re_path(r"^login/?$", LoginPage.as_view(), name="login-page"),
    re_path(r"^logout/?$", LogoutView.as_view(next_page="login-page"), name="logout-page"),
]
