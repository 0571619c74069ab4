"""Site map of the files of hosts."""

from django.urls import path

from tasks.hostfiles import endpoints, pages, transfers

HERE = "hosts/<int:pk>/files/"
urlpatterns = [
    path(HERE, pages.host_files, name="host_files"),
    path(f"{HERE}rows/", pages.host_files_rows, name="host_files_rows"),
    path(f"{HERE}view/", pages.host_files_view, name="host_files_view"),
    path(f"{HERE}edit/", pages.host_files_edit, name="host_files_edit"),
    path(f"{HERE}download/", transfers.host_files_download, name="host_files_download"),
    path(f"{HERE}upload/", transfers.host_files_upload, name="host_files_upload"),
    path(f"{HERE}upload/piece/", transfers.host_files_piece, name="host_files_piece"),
    path(
        f"{HERE}upload/finish/", transfers.host_files_finish, name="host_files_finish"
    ),
    path(
        f"{HERE}upload/abandon/",
        transfers.host_files_abandon,
        name="host_files_abandon",
    ),
    path(f"{HERE}folder/", endpoints.host_files_folder, name="host_files_folder"),
    path(f"{HERE}rename/", endpoints.host_files_rename, name="host_files_rename"),
    path(f"{HERE}mode/", endpoints.host_files_mode, name="host_files_mode"),
    path(f"{HERE}hash/", endpoints.host_files_hash, name="host_files_hash"),
    path(f"{HERE}waste/", endpoints.host_files_waste, name="host_files_waste"),
    path(f"{HERE}purge/", endpoints.host_files_purge, name="host_files_purge"),
]
