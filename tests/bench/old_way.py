"""AdminSet's own way of taking measurements, as research of its code describes it: a yardstick, nothing else.

A Django view checks the token against a file that it reads anew, and inserts the report as it is into a collection of the
host's own, through a client that it makes for this one document.
"""

import configparser
import json
import os
import time

import pymongo
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

TOKEN = "bench-token-0123456789"


@csrf_exempt
def received_sys_info(request: HttpRequest) -> HttpResponse:
    """Take one sample of one host."""
    report = json.loads(request.body)
    config = configparser.ConfigParser()
    config.read(os.environ["OLD_WAY_CONFIG"])
    if report["token"] != config.get("token", "token"):
        return HttpResponse("Post forbidden, your token error!!", status=403)
    report["timestamp"] = int(time.time())
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
        os.environ["OLD_WAY_MONGO"]
    )
    client["sys_info"][report["hostname"]].insert_one(report)
    client.close()
    return HttpResponse("Post the system Monitor Data successfully!")


urlpatterns = [path("monitor/received/sys/info/", received_sys_info)]
if not settings.configured:
    settings.configure(
        SECRET_KEY="bench",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    )
application = get_asgi_application()
