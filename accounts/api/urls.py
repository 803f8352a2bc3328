from django.urls import path

from accounts.api import views

urlpatterns = [
    path("register", views.RegisterView.as_view()),
    path("login", views.LoginView.as_view()),
    path("profile", views.ProfileView.as_view()),
    path("make-admin", views.MakeAdminView.as_view()),
]
