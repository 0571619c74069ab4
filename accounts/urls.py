"""Site map of the room."""

from dataclasses import replace

from django.urls import path

from accounts.resources.grants import GRANTS
from accounts.resources.tokens import API_TOKENS
from accounts.resources.users import ROLES, USERS
from accounts.views import account, audit, door, tokens
from adminset.crud.resource import register
from adminset.crud.urls import pages

app_name = "accounts"
urlpatterns = [
    path("sign-in/", door.sign_in, name="sign_in"),
    path("sign-out/", door.sign_out, name="sign_out"),
    path("me/", account.profile, name="profile"),
    path("me/preferences/", account.preferences, name="preferences"),
    path("me/password/", account.password_change, name="password_change"),
    path("me/tokens/", tokens.my_tokens, name="my_tokens"),
    path("me/tokens/add/", tokens.my_token_add, name="my_token_add"),
    path("me/tokens/<int:pk>/revoke/", tokens.my_token_revoke, name="my_token_revoke"),
    path("users/<int:pk>/password/", account.user_password, name="user_password"),
    path("api-tokens/<int:pk>/revoke/", tokens.apitoken_revoke, name="apitoken_revoke"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("audit/<int:pk>/", audit.audit_detail, name="audit_detail"),
    path("card/", audit.card, name="card"),
    *pages(USERS),
    *pages(ROLES),
    *pages(GRANTS),
    *pages(replace(API_TOKENS, verbs=frozenset())),
]
register(API_TOKENS)
