"""Site map of the room."""

from dataclasses import replace

from django.urls import path

from accounts import views
from accounts.resources import API_TOKENS, GRANTS, ROLES, USERS
from adminset.crud.resource import register
from adminset.crud.urls import pages

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("me/", views.profile, name="profile"),
    path("me/preferences/", views.preferences, name="preferences"),
    path("me/password/", views.password_change, name="password_change"),
    path("me/tokens/", views.my_tokens, name="my_tokens"),
    path("me/tokens/add/", views.my_token_add, name="my_token_add"),
    path("me/tokens/<int:pk>/revoke/", views.my_token_revoke, name="my_token_revoke"),
    path("users/<int:pk>/password/", views.user_password, name="user_password"),
    path("api-tokens/<int:pk>/revoke/", views.apitoken_revoke, name="apitoken_revoke"),
    path("audit/", views.audit_list, name="audit_list"),
    path("audit/<int:pk>/", views.audit_detail, name="audit_detail"),
    path("card/", views.card, name="card"),
    *pages(USERS),
    *pages(ROLES),
    *pages(GRANTS),
    *pages(replace(API_TOKENS, verbs=frozenset())),
]
register(API_TOKENS)
