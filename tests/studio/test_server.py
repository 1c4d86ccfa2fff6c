"""The real server: kills, conflicts, paths, hosts, tokens, uploads, runs, exports."""

import io
import json
import math
import shutil
import socket
import sqlite3
import ssl
import subprocess
import zipfile

import httpx
import pytest

from studio_project import Server, make_studio_project, wait_for
from watchline.errors import ArtefactError, UsageError
from watchline.io.plan import read_plan
from watchline.io.project import read_site
from watchline.studio.serve import serve
from watchline.studio.studio import Studio


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_studio_project(tmp_path_factory.mktemp("served") / "small")


@pytest.fixture(scope="module")
def server(folder):
    served = Server(folder)
    yield served
    served.end()


def edit(server, plan, revision, **one):
    return server.client.post(
        f"/api/plans/{plan}/edits", headers={"If-Match": revision}, json={"edits": [one]}
    )


def begin(server, name):
    found = server.client.post("/api/plans/computed/copies", json={"name": name})
    assert found.status_code == 201, found.text
    return found.json()


def test_project_layers_and_tiles(server):
    client = server.client
    project = client.get("/api/project").json()
    assert [s["noun"] for s in project["steps"]] == [
        "site", "terrain", "candidates", "visibility", "plan", "proof", "report",
    ]  # fmt: skip
    states = {s["noun"]: s["state"] for s in project["steps"]}
    assert states["terrain"] == states["plan"] == "current" and states["report"] == "missing"
    west, south, east, north = project["bounds"]
    assert west < project["centre"][0] < east and south < project["centre"][1] < north
    for layer in client.get("/api/layers").json():
        found = client.get(f"/api/layers/{layer['name']}").json()
        assert found["type"] == "FeatureCollection"
        assert layer["plan"] or len(found["features"]) == layer["features"]
    n = 2**16
    x = int((project["centre"][0] + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(project["centre"][1]))) / math.pi) / 2 * n)
    for kind in ("tiles/terrain", "tiles/hillshade", "plans/computed/tiles/views/day"):
        tile = client.get(f"/api/{kind}/16/{x}/{y}.png")
        assert tile.status_code == 200 and tile.content.startswith(b"\x89PNG"), tile.text
        known = {"If-None-Match": tile.headers["etag"]}
        assert client.get(f"/api/{kind}/16/{x}/{y}.png", headers=known).status_code == 304
    heights = terrarium(client.get(f"/api/tiles/terrain/16/{x}/{y}.png").content)
    assert heights.min() > 250.0 and heights.max() < 300.0
    far = client.get("/api/tiles/terrain/3/0/0.png")
    assert far.status_code == 200 and len(set(terrarium(far.content).ravel())) == 1


def terrarium(png):
    from rasterio.io import MemoryFile

    with MemoryFile(png) as memory, memory.open() as tile:
        red, green, blue = tile.read([1, 2, 3]).astype(float)
    return red * 256.0 + green + blue / 256.0 - 32768.0


def test_two_people_get_a_conflict_and_no_edit_is_lost(server):
    plan = begin(server, "together")
    turn = {"action": "aim_device", "device_id": "D001", "azimuth_deg": 10.0}
    first = edit(server, "together", plan["revision"], **turn)
    assert first.status_code == 200
    second = edit(server, "together", plan["revision"], **{**turn, "azimuth_deg": 200.0})
    assert second.status_code == 409
    told = second.json()
    assert told["sent_revision"] == plan["revision"]
    assert told["current_revision"] == first.json()["revision"] == told["current"]["revision"]
    assert told["sent_edits"][0]["azimuth_deg"] == 200.0
    stands = {d["device_id"]: d for d in told["current"]["device_list"]}
    assert stands["D001"]["azimuth_deg"] == 10.0
    again = edit(server, "together", told["current_revision"], **{**turn, "azimuth_deg": 200.0})
    assert again.status_code == 200


def test_faults_have_one_shape_and_change_nothing(server):
    plan = begin(server, "faults")
    for one, status in (
        ({"action": "aim_device", "device_id": "D999", "tilt_deg": 3}, 422),
        ({"action": "set_model", "device_id": "D001", "model": "no-such"}, 422),
        ({"action": "move_mount", "mount_id": "M001", "lon": 400, "lat": 0}, 422),
        ({"action": "set_height", "device_id": "D001", "height_m": 400}, 422),
        ({"action": "dance"}, 422),
    ):
        found = edit(server, "faults", plan["revision"], **one)
        assert found.status_code == status, found.text
        assert set(found.json()) == {"what", "where", "mend", "faults"} and found.json()["what"]
    assert server.client.get("/api/plans/faults").json()["revision"] == plan["revision"]
    undo = server.client.post("/api/plans/faults/undo", headers={"If-Match": plan["revision"]})
    assert undo.status_code == 409 and "nothing" in undo.json()["what"]
    assert server.client.get("/api/plans/nowhere").status_code == 404
    assert server.client.get("/api/plans/faults/strip?condition=fog").status_code == 404


def test_no_path_leads_out_of_the_project(server, folder, tmp_path):
    secret = tmp_path / "secret.gpkg"
    secret.write_bytes((folder / "runs").glob("*/plan.gpkg").__next__().read_bytes())
    (folder / "plans" / "link.gpkg").symlink_to(secret)
    port = int(server.url.rstrip("/").rpartition(":")[2])
    for path in (
        "/../../../../etc/passwd",
        "/assets/../../../etc/passwd",
        "/api/plans/..%2f..%2fproject",
        "/api/plans/%2e%2e%2fsecret",
        "/api/plans/link",
        "/api/layers/..%2f..%2fproject.toml",
        "/%2e%2e/%2e%2e/project.toml",
        "//etc/passwd",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            head = f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close", "", ""
            raw.sendall("\r\n".join(head).encode())
            answer = b""
            while part := raw.recv(65536):
                answer += part
        assert b" 404 " in answer.splitlines()[0], (path, answer[:200])
        assert b"root:" not in answer and b"schema_version" not in answer
    (folder / "plans" / "link.gpkg").unlink()
    for name in ("../out", "a/b", "..", "", "computed", "x" * 61):
        found = server.client.post("/api/plans/computed/copies", json={"name": name})
        assert found.status_code in (415, 422), name
    assert not list(folder.parent.glob("*.gpkg"))


def test_hosts_and_origins(server):
    client = server.client
    for host in ("evil.example", "127.0.0.1.evil.example:80", ""):
        assert client.get("/api/project", headers={"Host": host}).status_code in (400, 403)
    assert client.get("/api/project", headers={"Host": "localhost:1"}).status_code == 200
    headers = {"If-Match": "x", "Origin": "http://evil.example"}
    body = {"edits": [{"action": "remove_mount", "mount_id": "M001"}]}
    assert client.post("/api/plans/computed/edits", headers=headers, json=body).status_code == 403
    cross = {"If-Match": "x", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/plans/computed/edits", headers=cross, json=body).status_code == 403
    own = {"If-Match": "x", "Origin": server.url.rstrip("/")}
    assert client.post("/api/plans/computed/edits", headers=own, json=body).status_code == 409
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert page.status_code == 200
    assert "default-src 'self'; connect-src 'self'; worker-src 'self' blob:" in policy
    assert "img-src 'self' data: blob:" in policy


def test_import_export_and_what_prove_reads(server, folder):
    client = server.client
    sent = client.get("/api/plans/computed/export/gpkg")
    assert sent.status_code == 200
    name = "from outside"
    found = client.post("/api/plans", files={"file": (f"{name}.gpkg", sent.content)})
    assert found.status_code == 201, found.text
    assert found.json()["name"] == "from-outside"
    twice = client.post("/api/plans", files={"file": (f"{name}.gpkg", sent.content)}).json()
    assert twice["name"] == "from-outside-2"
    spoilt = io.BytesIO(sent.content)
    for content, status in (
        (b"not a database at all", 415),
        (b"", 415),
        (sent.content[:20000], 422),
        (b"SQLite format 3\x00" + bytes(65 * 2**20), 413),
    ):
        bad = client.post("/api/plans", files={"file": ("bad.gpkg", content)})
        assert bad.status_code == status, bad.text
        assert "sent-" not in bad.text
    file = folder / "wrong.gpkg"
    file.write_bytes(spoilt.getvalue())
    with sqlite3.connect(file) as database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='devices'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute("UPDATE devices SET model = 'no-such-camera' WHERE device_id = 'D001'")
    database.close()
    bad = client.post("/api/plans", files={"file": ("wrong.gpkg", file.read_bytes())})
    file.unlink()
    assert bad.status_code == 422 and "no-such-camera" in bad.text and "wrong.gpkg" in bad.text
    assert read_plan(folder / "plans" / "from-outside.gpkg", site=read_site(folder)).cost > 0
    for kind, start in (("kmz", b"PK"), ("xlsx", b"PK"), ("dxf", b"  0\n"), ("glb", b"glTF")):
        got = client.get(f"/api/plans/from-outside/export/{kind}")
        assert got.status_code == 200 and got.content.startswith(start), kind
        assert f".{kind}" in got.headers["content-disposition"]
    assert zipfile.ZipFile(
        io.BytesIO(client.get("/api/plans/computed/export/kmz").content)
    ).namelist()
    picture = client.get("/api/plans/computed/devices/D001/picture.png?width=320")
    assert picture.content.startswith(b"\x89PNG") and len(picture.content) > 3000
    info = client.get("/api/plans/computed/devices/D001/picture").json()
    distances = [ring["distance_m"] for ring in info["rings"]]
    assert distances == sorted(distances) and len(distances) >= 3


def test_a_kill_loses_no_edit(tmp_path):
    """A server that is killed between edits has every answered edit when it is begun again."""
    folder = make_studio_project(tmp_path / "small")
    server = Server(folder)
    plan = begin(server, "mine")
    revision = plan["revision"]
    for k in range(8):
        answer = edit(
            server, "mine", revision, action="aim_device", device_id="D002", tilt_deg=2.0 + k
        ).json()
        revision = answer["revision"]
    claims = [(c["requirement"], c["value"]) for c in answer["claims"]]
    server.kill()
    journal = folder / "plans" / ".studio" / "mine" / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"number": 99, "time"')  # a line that the crash cut
    server = Server(folder)
    found = server.client.get("/api/plans/mine").json()
    assert found["revision"] == revision and len(found["history"]) == 9
    assert [(c["requirement"], c["value"]) for c in found["claims"]] == claims
    assert {d["device_id"]: d["tilt_deg"] for d in found["device_list"]}["D002"] == 9.0
    site = read_site(folder)

    def saved():
        devices = read_plan(folder / "plans" / "mine.gpkg", site=site).devices
        return devices.set_index("device_id").loc["D002", "tilt_deg"] == 9.0

    wait_for(saved)  # the file follows by itself
    entry = next(p for p in server.client.get("/api/plans").json() if p["name"] == "mine")
    assert entry["saved"] and entry["file"] == "plans/mine.gpkg"
    with pytest.raises(ArtefactError, match="another studio has this project open"):
        Studio(folder)
    assert server.end() == 0


def test_a_run_is_followed_cancelled_and_goes_on_from_the_cache(server):
    client = server.client
    assert client.get("/api/runs/current").status_code == 404
    plan = begin(server, "while-running")
    started = client.post("/api/runs", json={"time_s": 60})
    assert started.status_code == 202 and started.json()["state"] == "running"
    assert client.post("/api/runs", json={}).status_code == 409

    def searching():
        run = client.get("/api/runs/current").json()
        assert run["state"] == "running", run
        return any(s["name"] in ("kernels", "plan") for s in run["steps"])

    wait_for(searching, 60)
    turn = {"action": "aim_device", "device_id": "D001", "tilt_deg": 5.0}
    assert edit(server, "while-running", plan["revision"], **turn).status_code == 200
    assert client.delete("/api/runs/current").json()["state"] in ("stopping", "stopped")
    events = []
    with client.stream("GET", "/api/runs/current/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events += [
            json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")
        ]
    assert events[-1]["state"] == "stopped"
    states = {s["noun"]: s["state"] for s in client.get("/api/project").json()["steps"]}
    assert states["visibility"] == "current"  # a finished step is kept
    kept = client.get("/api/plans/while-running").json()
    assert kept["device_list"][0]["tilt_deg"] == 5.0


def test_a_token_is_asked_for_elsewhere(folder, tmp_path, server):
    other = make_studio_project(tmp_path / "small")
    file = tmp_path / "token"
    guarded = Server(other, "--host", "0.0.0.0", "--insecure", "--token-file", str(file))
    token = file.read_text().strip()
    assert file.stat().st_mode & 0o077 == 0
    port = guarded.url.rstrip("/").rpartition(":")[2]
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=base, timeout=30) as client:
            assert client.get("/api/project").status_code == 401
            assert client.get("/").status_code == 401
            assert client.get("/?token=wrong").status_code == 401
            bearer = {"Authorization": f"Bearer {token}"}
            assert client.get("/api/project", headers=bearer).status_code == 200
            entered = client.get(f"/?token={token}&view=map")
            assert entered.status_code == 303 and entered.headers["location"] == "/?view=map"
            cookie = entered.headers["set-cookie"].lower()
            assert "httponly" in cookie and "samesite=strict" in cookie
            assert client.get("/api/project").status_code == 200
            assert client.get("/api/project", headers={"Host": "evil.example"}).status_code == 403
    finally:
        guarded.end()
    for options, words in (
        ({"host": "0.0.0.0"}, "without TLS"),
        ({"certificate": file}, "give both"),
        ({"certificate": file, "key": file}, "no certificate"),
        ({"host": "192.0.2.1", "insecure": True}, "cannot be had"),
    ):
        with pytest.raises(UsageError, match=words):
            serve(other, browser=False, **options)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_other_machines_are_served_by_tls_with_a_token(tmp_path):
    folder = make_studio_project(tmp_path / "small")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=studio", "-keyout", key, "-out", certificate,
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="without TLS whoever listens in can edit") as refused:
        Server(folder, "--host", "0.0.0.0")
    assert "Traceback" not in str(refused.value)
    server = Server(
        folder, "--host", "0.0.0.0", "--certificate", str(certificate), "--key", str(key)
    )
    try:
        told = httpx.URL(server.url)
        assert told.scheme == "https" and len(told.params["token"]) >= 32
        base = f"https://127.0.0.1:{told.port}"
        trusted = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(base_url=base, verify=trusted, timeout=30) as client:
            assert client.get("/api/project").status_code == 401
            bearer = {"Authorization": f"Bearer {told.params['token']}"}
            project = client.get("/api/project", headers=bearer)
            assert project.status_code == 200 and project.json()["name"] == "small"
            entered = client.get("/", params={"token": told.params["token"]})
            assert "secure" in entered.headers["set-cookie"].lower()
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{base}/api/project", timeout=30)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{told.port}/api/project", timeout=30)
    finally:
        assert server.end() == 0
