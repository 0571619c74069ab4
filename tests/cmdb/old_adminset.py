"""Makes databases to AdminSet's own schema, as its 0.5 and 0.6 had it, with the dirt that such databases have."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
SECRET = "s3cr3t 密码 "
HOST = (
    "id integer PRIMARY KEY, hostname varchar(50) UNIQUE, ip char(39), other_ip varchar(100), asset_no varchar(50), "
    "asset_type varchar(30), status varchar(30), os varchar(100), vendor varchar(50), cpu_model varchar(100), "
    "cpu_num varchar(100), memory varchar(30), disk varchar(255), sn varchar(60), position varchar(100), memo text, "
    "idc_id integer"
)
IDC = (
    "id integer PRIMARY KEY, name varchar(255), address varchar(100), tel varchar(30), contact varchar(30), "
    "contact_phone varchar(30), jigui varchar(30), ip_range varchar(30), bandwidth varchar(30)"
)
GROUP = "id integer PRIMARY KEY, name varchar(30) UNIQUE, desc varchar(100)"
# 0.5.1 to 0.5.3 of 2017: one group a host, no cabinets, no credentials.
FIRST = {
    "cmdb_host": f"{HOST}, group_id integer",
    "cmdb_idc": IDC,
    "cmdb_hostgroup": GROUP,
}
OFFICE = (
    "id integer PRIMARY KEY, name varchar(255) UNIQUE, address varchar(255), telephone varchar(25), "
    "description varchar(255), owner_id integer"
)
# 0.50 to 0.62.
LATER = {
    "cmdb_host": f"{HOST}, up_time varchar(50), account_id integer",
    "cmdb_idc": f"{IDC}, ids varchar(255) UNIQUE, memo text",
    "cmdb_hostgroup": GROUP,
    "cmdb_hostgroup_serverList": "id integer PRIMARY KEY, hostgroup_id integer, host_id integer",
    "cmdb_cabinet": "id integer PRIMARY KEY, name varchar(100), desc varchar(100), idc_id integer",
    "cmdb_cabinet_serverList": "id integer PRIMARY KEY, cabinet_id integer, host_id integer",
    "cmdb_userinfo": "id integer PRIMARY KEY, username varchar(30), password varchar(30)",
    "appconf_authinfo": "id integer PRIMARY KEY, dis_name varchar(50) UNIQUE, username varchar(50), "
    "password varchar(50), deploy_port integer, private_key varchar(2048), memo text",
    "appconf_appowner": "id integer PRIMARY KEY, name varchar(50) UNIQUE, phone varchar(50), qq varchar(100), "
    "weChat varchar(100)",
    "appconf_product": "id integer PRIMARY KEY, name varchar(50) UNIQUE, description varchar(255), owner_id integer",
    "appconf_project": "id integer PRIMARY KEY, name varchar(50), source_type varchar(255), source_address varchar(255), "
    "appPath varchar(255), product_id integer, owner_id integer",
    "branches_region": OFFICE,
    "branches_branch": f"{OFFICE}, region_id integer",
    "branches_resource": "id integer PRIMARY KEY, sn varchar(255), name varchar(255), spec varchar(255), "
    "budget varchar(255), paid varchar(255), contract varchar(255), contract_start date, contract_end date, "
    "supplier varchar(255), service_phone varchar(25), branch_id integer, owner_id integer, description varchar(255)",
}


def rows_of_later(private_key: str) -> dict[str, list[dict[str, Any]]]:
    """Give what the team of a 0.6 entered: Chinese, empty, doubled, hostile."""
    return {
        "appconf_appowner": [
            {"id": 1, "name": "张三", "phone": "13800000000", "weChat": "zhangsan"},
            {"id": 2, "name": HOSTILE[:50], "phone": "", "qq": "9" * 60},
        ],
        "appconf_product": [
            {"id": 1, "name": "电商平台", "description": "主站", "owner_id": 1},
            {"id": 2, "name": "Web Shop", "owner_id": 99},
        ],
        "appconf_project": [
            {
                "id": 1,
                "name": "商城",
                "source_type": "git",
                "source_address": "https://bot:hunter2@git.example.com/shop.git",
                "product_id": 1,
            }
        ],
        "appconf_authinfo": [
            {
                "id": 1,
                "dis_name": "生产root",
                "username": "root",
                "password": SECRET,
                "deploy_port": 2222,
                "private_key": private_key,
            },
            {"id": 2, "dis_name": "old", "username": "", "private_key": "cut off"},
        ],
        "branches_region": [{"id": 1, "name": "华北", "owner_id": 1}],
        "branches_branch": [
            {"id": 1, "name": "北京分公司", "region_id": 1, "telephone": "010-1"}
        ],
        "branches_resource": [
            {
                "id": 1,
                "sn": "R1",
                "name": "专线",
                "spec": "100M",
                "budget": "￥12,000元",
                "paid": "1.2万",
                "contract": "HT-1",
                "contract_start": "2023-01-01",
                "contract_end": "2024-01-01",
                "supplier": "电信",
                "branch_id": 1,
                "owner_id": 1,
            },
            {"id": 2, "sn": "R2", "name": "备线", "spec": "", "contract": "HT-1"},
            {
                "id": 3,
                "sn": "R3",
                "name": "backwards",
                "spec": "x",
                "budget": "about 5",
                "contract_start": "2024-01-01",
                "contract_end": "2023-01-01",
            },
        ],
        "cmdb_userinfo": [{"id": 1, "username": "u", "password": "plain-password"}],
        "cmdb_idc": [
            {
                "id": 1,
                "ids": "bj-1",
                "name": "北京机房",
                "tel": "010-2",
                "contact_phone": "138",
            },
            {"id": 2, "ids": "上海", "name": "上海机房", "jigui": "12个"},
        ],
        "cmdb_cabinet": [
            {"id": 1, "name": "A01", "idc_id": 1, "desc": "first"},
            {"id": 2, "name": "A01", "idc_id": 1, "desc": "the same again"},
            {"id": 3, "name": "B01", "idc_id": None},
            {"id": 4, "name": "C01", "idc_id": None},
            {"id": 5, "name": "D01", "idc_id": None},
        ],
        "cmdb_cabinet_serverList": [
            {"id": 1, "cabinet_id": 2, "host_id": 1},
            {"id": 2, "cabinet_id": 3, "host_id": 2},
            {"id": 3, "cabinet_id": 4, "host_id": 1},
        ],
        "cmdb_hostgroup": [
            {"id": 1, "name": "web 服务器", "desc": "前端"},
            {"id": 2, "name": "web-服务器"},
        ],
        "cmdb_hostgroup_serverList": [
            {"id": 1, "hostgroup_id": 1, "host_id": 1},
            {"id": 2, "hostgroup_id": 1, "host_id": 2},
            {"id": 3, "hostgroup_id": 2, "host_id": 3},
            {"id": 4, "hostgroup_id": 2, "host_id": 77},
        ],
        "cmdb_host": [
            {
                "id": 1,
                "hostname": "web1",
                "ip": "10.0.0.1",
                "other_ip": "192.168.0.1, 172.16.0.1",
                "asset_no": "ZC-001",
                "asset_type": "1",
                "status": "1",
                "os": "CentOS Linux 7.6",
                "vendor": "Dell Inc.",
                "up_time": "2018年1月2日",
                "cpu_model": "Xeon",
                "cpu_num": "32核",
                "memory": "64 GB",
                "disk": "['Disk /dev/sda: 300.0 GB', 'Disk /dev/sdb: 1 TB']",
                "sn": "SN1",
                "position": "U12",
                "memo": "主\x07机\x00\u202e",
                "account_id": 1,
                "idc_id": 1,
            },
            {
                "id": 2,
                "hostname": HOSTILE[:50],
                "ip": "not an address",
                "asset_type": "9",
                "status": "2",
                "memory": "plenty",
                "disk": "__import__('os').system('touch /tmp/owned')",
                "cpu_num": "many",
                "up_time": "last year",
                "memo": HOSTILE,
                "idc_id": 2,
            },
            {"id": 3, "hostname": "db1", "ip": None, "status": "4", "account_id": 2},
        ],
    }


def make_database(
    path: Path,
    schema: Mapping[str, str],
    rows: Mapping[str, list[dict[str, Any]]],
) -> str:
    """Make the file; give its address."""
    with sqlite3.connect(path) as link:
        for table, columns in schema.items():
            link.execute(f'CREATE TABLE "{table}" ({columns})')
        for table, many in rows.items():
            for row in many:
                names, holes = ", ".join(row), ", ".join("?" * len(row))
                link.execute(
                    f'INSERT INTO "{table}" ({names}) VALUES ({holes})',  # noqa: S608
                    list(row.values()),
                )
    link.close()
    return f"sqlite:///{path}"
