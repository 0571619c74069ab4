import pytest, json
from django.db import connection
pytestmark = pytest.mark.django_db(transaction=True)
def test_totp_race():
    import threading, pyotp, time
    from tests.factories import make_user
    from accounts.models import SecondFactor, RecoveryCode
    from accounts import second_factor as sf
    from accounts.services import second_factor as s
    from adminset.crypto import digest
    u=make_user("r"); sec=sf.new_secret(); SecondFactor.objects.create(user=u,secret=sec,confirmed_at=__import__("django.utils.timezone").utils.timezone.now())
    RecoveryCode.objects.create(user=u,code_hash=digest("ABCDEFGHJKMN"))
    code=pyotp.TOTP(sec).now(); out=[]
    for c in (code, code, "abcd-efgh-jkmn","ABCDEFGHJKMN"):
        try: out.append(s.use(user=u,code=c))
        except Exception as e: out.append(str(e))
    print(out)
def test_settings_idor():
    pass
