"""Site map of approvals."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.approvals import inbox
from tasks.approvals.resources import APPROVALS, RULES

urlpatterns = [
    path("approvals/inbox/", inbox.approval_inbox, name="approval_inbox"),
    path("approvals/<int:pk>/", inbox.approval_detail, name="approval_detail"),
    path("approvals/<int:pk>/decide/", inbox.approval_decide, name="approval_decide"),
    # An approval has a page of its own.
    *(page for page in pages(APPROVALS) if page.name != "approval_detail"),
    *pages(RULES),
]
