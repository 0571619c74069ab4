"""A command line shows no password to the trail, and what is none stays as it was typed."""

import time

import pytest

from adminset import redaction
from adminset.command_lines import clean_command
from adminset.redaction import MASK


@pytest.fixture(autouse=True)
def _knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the secrets that other tests of this process made known: they are words of everyday life."""
    monkeypatch.setattr(redaction, "known", redaction.KnownSecrets())


HIDDEN = r"""
mysql -uroot -p5ecret shop
mysqldump -h db -u app -p'5ecret 5ecret' shop
mysql --password 5ecret
mysql --password=5ecret -h db
/usr/bin/mysqladmin -u root password 5ecret
mysql -e "ALTER USER 'app'@'%' IDENTIFIED BY '5ecret'"
mysql -e 'SET PASSWORD = PASSWORD("5ecret")'
psql -c "ALTER ROLE app WITH PASSWORD '5ecret'"
SET PASSWORD FOR 'app'@'%' = '5ecret';
CONFIG SET requirepass 5ecret
AUTH 5ecret
CREATE USER 'a'@'%' IDENTIFIED WITH caching_sha2_password BY '5ecret';
MYSQL_PWD=5ecret mysql -u root
PGPASSWORD='5ecret 5ecret' psql -h db
export DB_PASS=5ecret
export PGPASSWORD="5ecret
SSHPASS=5ecret sshpass -e ssh web1
env AWS_SECRET_ACCESS_KEY=5ecret aws s3 ls
sshpass -p 5ecret ssh root@web1
sshpass -p5ecret scp a root@web1:
redis-cli -h cache -a 5ecret ping
redis-cli -a '5ecret' config set requirepass 5ecret
REDISCLI_AUTH=5ecret redis-cli
AUTH=1 redis-cli auth 5ecret
curl -u deploy:5ecret https://a.example/
curl -sSfu deploy:5ecret https://a.example/
curl -udeploy:5ecret https://a.example/
curl --user=deploy:5ecret https://a.example/
curl -H 'Authorization: Bearer 5ecret' https://a.example/
curl -H "Authorization: AWS4 Credential=5ecret, Signature=5ecret" https://a.example/
curl -H"X-Api-Key: 5ecret" https://a.example/
curl -H PRIVATE-TOKEN:5ecret https://a.example/
curl -b sid=5ecret https://a.example/
curl --cookie 'sid=5ecret' https://a.example/
curl 'https://a.example/?token=5ecret&host=a'
curl -d '{"password": "5ecret 5ecret"}' https://a.example/
wget --http-password=5ecret https://a.example/
git clone https://me:5ecret@git.example/a.git
git clone https://me:5ecret@5ecret@git.example/a.git
git push https://ghp_5ecret5ecret5ecret5ecret@github.com/a/b
mongosh "mongodb://app:5ecret@db1,db2/shop?replicaSet=rs0"
mongodump -u app -p 5ecret --db shop
docker login -u me -p 5ecret registry.example
docker run -e MYSQL_ROOT_PASSWORD=5ecret -p 3306:3306 mysql
docker exec db mysql -uroot -p5ecret -e 'show tables'
echo 5ecret | docker login -u me --password-stdin
openssl rsa -in a.pem -passin pass:5ecret -out b.pem
openssl enc -aes-256-cbc -k 5ecret -in a -out b
openssl passwd -6 5ecret
ldapsearch -x -D cn=admin -w 5ecret -b dc=a
sqlplus app/5ecret@shop
smbclient //nas/a -U 'me%5ecret'
mount -t cifs -o username=me,password=5ecret //nas/a /mnt
useradd -m -p '$6$5ecret' bob
htpasswd -b /etc/nginx/users bob 5ecret
echo 'bob:5ecret' | sudo chpasswd
echo 5ecret | sudo -S systemctl restart nginx
sudo -S id <<< 5ecret
printf '%s\n' "5ecret" | passwd --stdin bob
zip -rP 5ecret a.zip a
7z a -p5ecret a.7z a
gpg --batch --passphrase '5ecret 5ecret' -d a.gpg
ssh-keygen -t ed25519 -N 5ecret -f a
snmpwalk -v2c -c 5ecret switch1
ipmitool -H bmc -U admin -P 5ecret power status
kubectl create secret generic a --from-literal=x=5ecret
helm install a b --set auth.rootPassword=5ecret
ansible all -m ping -e ansible_ssh_pass=5ecret
keytool -list -storepass 5ecret
vault login 5ecret
rabbitmqctl add_user bob 5ecret
nmcli device wifi connect a password 5ecret
cd /srv && mysql -p5ecret < dump.sql; ls
ssh web1 'mysql -uroot -p5ecret shop'
sh -c "ssh web1 'mysql -uroot -p5ecret'"
bash -c "mysql -p\"5ecret 5ecret\" shop"
x=$(mysql -p5ecret -e 'select 1')
sudo -u app env MYSQL_PWD=5ecret mysql
mysql -p5ecret\ 5ecret shop
./deploy --api-key 5ecret --region eu
./deploy --token '5ecret 5ecret' --region eu
"""

SAME = r"""
ls -la /srv
mkdir -p /srv/app
cp -p a b
rm -rf /
ssh -p 2222 root@web1
scp -P 2222 a web1:/tmp
docker run -p 8080:80 nginx
docker login registry.example
docker login -u me --password-stdin registry.example
mysql -u root -p shop
mysql -u root -p
mysql --defaults-file=/root/.my.cnf -e "show tables"
mysql -p"$DB_PASS" shop
MYSQL_PWD=$DB_PASS mysql
PGPASSFILE=/root/.pgpass psql -h db -U app -W shop
psql -h db -p 5432 -U app --no-password shop
redis-cli -h cache -p 6379 ping
curl -u deploy https://a.example:8443/path
curl -H 'Accept: application/json' https://a.example/?page=2
curl -b cookies.txt -c cookies.txt https://a.example/
git clone git@github.com:a/b.git
git commit -m "the password is asked for now"
echo hello | sudo tee /etc/motd
echo "user:bob" | cut -d: -f2
sudo -u app -i
passwd bob
grep -ri password /etc/app
kubectl get secret db -o yaml
vault token lookup
openssl rsa -in a.pem -passin file:/run/key
openssl passwd -6
openssl x509 -in a.pem -noout -dates
ansible all -m ping --ask-become-pass --private-key ~/.ssh/id
ssh-keygen -t ed25519 -N '' -f a
sqlplus / as sysdba
ldapsearch -x -W -D cn=admin -b dc=a
find / -name '*.log' -mtime +7 -exec rm {} +
PWD=/tmp; cd "$OLDPWD" && tar -C /srv -czf a.tgz .
for i in 1 2 3; do echo "$i: it's done"; done
awk -F: '{print $1}' /etc/passwd | sort -u
zip -r a.zip a
useradd -m -s /bin/bash bob
echo 'don'"'"'t' "a  b" `date` > x 2>&1
AWS_ACCESS_KEY_ID=AKIA123 aws configure list
"""


def lines(text: str) -> list[str]:
    return text.strip("\n").split("\n")


@pytest.mark.parametrize("line", lines(HIDDEN))
def test_a_password_on_a_command_line_is_masked(line: str) -> None:
    cleaned = clean_command(line)
    assert "5ecret" not in cleaned
    assert MASK in cleaned
    # What was typed before it still tells what was done.
    assert cleaned.split()[0][:3] == line.split()[0][:3]


@pytest.mark.parametrize("line", lines(SAME))
def test_a_command_line_without_one_stays_as_it_is(line: str) -> None:
    assert clean_command(line) == line


@pytest.mark.parametrize(
    ("line", "cleaned"),
    [
        (
            "mysql -uroot -p'a b' shop; ls -p x",
            f"mysql -uroot -p'{MASK}' shop; ls -p x",
        ),
        ('curl -u "me:a b" https://x', f'curl -u "me:{MASK}" https://x'),
        ("sh -c \"mysql -p'a b' x\"", f"sh -c \"mysql -p'{MASK}' x\""),
        ("A_TOKEN=a\\ b make deploy", f"A_TOKEN={MASK} make deploy"),
        ("sshpass -p a ssh -p 22 web1", f"sshpass -p {MASK} ssh -p 22 web1"),
        ("echo a | sudo -S id", f"echo {MASK} | sudo -S id"),
    ],
)
def test_nothing_but_the_password_is_masked(line: str, cleaned: str) -> None:
    assert clean_command(line) == cleaned


def test_what_the_process_knows_is_masked_wherever_it_stands() -> None:
    redaction.known.add("open sesame")
    assert clean_command("./door open sesame\0") == f"./door {MASK}\ufffd"


def test_of_a_long_line_the_beginning_is_given() -> None:
    cleaned = clean_command("mysql -p5ecret shop; " + "ls; " * 20_000)
    assert cleaned.startswith(f"mysql -p{MASK} shop; ls; ")
    assert cleaned.endswith("…")
    assert len(cleaned) < 4200


@pytest.mark.parametrize(
    "piece",
    [
        "mysql -p",
        "'",
        '"',
        '\\"',
        "\\",
        "$(",
        "a=",
        "a=b ",
        "://a:",
        "://a@",
        "password '",
        "identified by ",
        "eyJaaaaaaaa.",
        "sudo -S | ",
        "echo a | ",
        "-H x:",
        "\"' ",
        "--password ",
        "curl -u a ",
    ],
)
def test_a_hostile_line_costs_next_to_nothing(piece: str) -> None:
    line = piece * (65_536 // len(piece))
    began = time.process_time()
    clean_command(line)
    assert time.process_time() - began < 0.5
