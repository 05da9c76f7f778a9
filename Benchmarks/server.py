"""How many requests with a text each score-server answers in a second, how long they take, and what score does with the same texts."""

import re
import shutil
import subprocess
import time

from harness import BIN, Skipped, median
from results import number, row

SERVER = ".build/server/release/score-server"
# Each request has the next text.
SCRIPT = """
local texts = {}
for line in io.lines("%s") do texts[#texts + 1] = line end
local next = math.random(#texts)
request = function()
  next = next %% #texts + 1
  return wrk.format("POST", "/score", {["Content-Type"] = "text/plain"}, texts[next] .. "\\n")
end
done = function(summary, latency)
  io.write(string.format("result %%d %%f %%f %%f %%d\\n", summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.errors.status + summary.errors.timeout))
end
"""


def server(bench):
    if not shutil.which("wrk"):
        raise Skipped("it needs wrk")
    model = "build/demo/model"
    try:
        texts = [line.split("\t", 1)[1] for line in open("pipelines/demo/messages.tsv", encoding="utf-8")]
    except FileNotFoundError as error:
        raise Skipped("it needs the demo's messages") from error
    path = bench.out / "server-texts.txt"
    path.write_text("".join(texts), encoding="utf-8")
    script = bench.out / "post.lua"
    script.write_text(SCRIPT % path, encoding="utf-8")
    process = subprocess.Popen([SERVER, "--quiet", "--model", model, "--port", "0", "--max-per-client", "128", "--max-requests", "128"], stderr=subprocess.PIPE, text=True)
    address = process.stderr.readline().rsplit(" ", 1)[-1].strip()
    rows = []
    try:
        plain = []
        measured = {1: [], 8: [], 64: []}
        for _ in range(bench.runs):
            begin = time.perf_counter()
            bench.run(BIN / "score", "--quiet", "--model", model, path)
            plain.append(len(texts) / (time.perf_counter() - begin))
            for clients, results in measured.items():
                seconds = 1 if bench.quick else 8
                output = bench.run(
                    "wrk", "-t", 1, "-c", clients, "-d", f"{seconds}s", "-s", script, address).output.decode()
                found = re.search(r"result (\d+) ([0-9.]+) ([0-9.]+) ([0-9.]+) (\d+)", output)
                count, time_taken, half, most, errors = (float(x) for x in found.groups())
                if errors:
                    raise SystemExit(f"bench: server: {errors:.0f} requests failed")
                results.append((count / time_taken, half, most))
    finally:
        process.terminate()
        process.wait()
    whole = median(plain)
    for clients, results in measured.items():
        rate, half, most = (median([result[i] for result in results]) for i in range(3))
        rows.append(
            row(
                f"score-server, {clients} {'client' if clients == 1 else 'clients'}, a text a request",
                {"requests/s": number(rate), "median": f"{half:.1f} ms", "99th percentile": f"{most:.1f} ms", "of score's rate": f"{rate / whole:.0%}"},
                "wrk", {"rate": rate, "median": half, "p99": most}))
    rows.append(row("score, one process", {"requests/s": number(whole)}, "score", {"rate": whole}))
    return rows
