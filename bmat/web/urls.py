"""The page's addresses. The modules in `static/web` draw what each stands for."""

from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from bmat.web.views import LoginPage, page

PID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def view(*modules: str) -> dict[str, list[str]]:
    """What `page` is told of an address: the modules that draw it, as routes.js has them."""
    return {"modules": [f"web/{name}.js" for name in modules]}


# Most reports that are looked at are done.
REPORT = view("views/report", "report/done")

urlpatterns = [
    path("", page, view("views/home"), name="home"),
    re_path(rf"^reports/{PID}/?$", page, REPORT, name="report-page"),
    re_path(rf"^reports/{PID}/compare/{PID}/?$", page, view("views/compare"), name="compare-page"),
    re_path(r"^account/?$", page, view("views/account"), name="account-page"),
    re_path(r"^login/?$", LoginPage.as_view(), name="login-page"),
    re_path(r"^logout/?$", LogoutView.as_view(next_page="login-page"), name="logout-page"),
]
