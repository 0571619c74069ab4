"""Site map of the room."""

from dataclasses import replace

from django.urls import path

from accounts.resources.grants import GRANTS
from accounts.resources.mappings import MAPPINGS
from accounts.resources.sessions import SESSIONS
from accounts.resources.tokens import API_TOKENS
from accounts.resources.users import ROLES, USERS
from accounts.views import (
    account,
    audit,
    door,
    explain,
    oidc,
    second_factor,
    sessions,
    tokens,
)
from adminset.crud.resource import register
from adminset.crud.urls import pages

app_name = "accounts"
urlpatterns = [
    path("sign-in/", door.sign_in, name="sign_in"),
    path("sign-in/code/", second_factor.sign_in_code, name="sign_in_code"),
    path("explain/", explain.explain, name="explain"),
    path("sign-in/provider/", oidc.oidc_start, name="oidc_start"),
    path("sign-in/provider/back/", oidc.oidc_callback, name="oidc_callback"),
    path("confirm/provider/", oidc.oidc_confirm, name="oidc_confirm"),
    path("confirm/", second_factor.confirm, name="confirm"),
    path("sign-out/", door.sign_out, name="sign_out"),
    path("me/", account.profile, name="profile"),
    path("me/preferences/", account.preferences, name="preferences"),
    path("me/password/", account.password_change, name="password_change"),
    path("me/tokens/", tokens.my_tokens, name="my_tokens"),
    path("me/tokens/add/", tokens.my_token_add, name="my_token_add"),
    path("me/tokens/<int:pk>/revoke/", tokens.my_token_revoke, name="my_token_revoke"),
    path("me/tokens/<int:pk>/rotate/", tokens.my_token_rotate, name="my_token_rotate"),
    path("me/second-factor/", second_factor.second_factor_page, name="second_factor"),
    path(
        "me/second-factor/off/",
        second_factor.second_factor_off,
        name="second_factor_off",
    ),
    path(
        "me/second-factor/codes/", second_factor.recovery_codes, name="recovery_codes"
    ),
    path(
        "users/<int:pk>/second-factor/reset/",
        second_factor.user_second_factor_reset,
        name="user_second_factor_reset",
    ),
    path("me/sessions/", sessions.my_sessions, name="my_sessions"),
    path("me/sessions/<int:pk>/end/", sessions.my_session_end, name="my_session_end"),
    path("me/sessions/end/", sessions.my_sessions_end, name="my_sessions_end"),
    path(
        "me/sessions/sign-out/",
        sessions.sign_out_everywhere,
        name="sign_out_everywhere",
    ),
    path("me/sign-ins/", sessions.my_sign_ins, name="my_sign_ins"),
    path("sign-ins/", sessions.sign_in_list, name="sign_in_list"),
    path(
        "sessions/<int:pk>/end/", sessions.portalsession_end, name="portalsession_end"
    ),
    path(
        "users/<int:pk>/sessions/end/",
        sessions.user_sessions_end,
        name="user_sessions_end",
    ),
    path("users/<int:pk>/password/", account.user_password, name="user_password"),
    path("users/<int:pk>/tokens/add/", tokens.user_token_add, name="user_token_add"),
    path("api-tokens/<int:pk>/revoke/", tokens.apitoken_revoke, name="apitoken_revoke"),
    path("api-tokens/<int:pk>/rotate/", tokens.apitoken_rotate, name="apitoken_rotate"),
    path("users/<int:pk>/audit/", audit.user_audit, name="user_audit"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("audit/<int:pk>/", audit.audit_detail, name="audit_detail"),
    path("card/", audit.card, name="card"),
    *pages(USERS),
    *pages(ROLES),
    *pages(GRANTS),
    *pages(MAPPINGS),
    *pages(replace(API_TOKENS, verbs=frozenset())),
    *pages(replace(SESSIONS, verbs=frozenset())),
]
register(API_TOKENS)
register(SESSIONS)
