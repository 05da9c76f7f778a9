"""Scores a text file on a Spark cluster: a map over its lines, with a process of `score` for every partition.

    spark-submit pipelines/spark/score_job.py --score score --model build/demo/model messages.txt scored
    spark-submit … --input ndjson records.ndjson scored

The output, `cat scored/part-*`, is byte for byte what `score --model MODEL < messages.txt` writes: lines keep their order and
their numbers, and a line that can't be read becomes an error record. A partition whose process or worker dies is computed again
elsewhere.

The model and the program are either on every host under the same path, which maps the weights once per host, or they are shipped
(--ship): every executor then gets a copy.
"""

import argparse
import os
import subprocess
import tarfile
import tempfile
import threading

from pyspark import SparkFiles
from pyspark.sql import SparkSession

# Some lines were bad: each of them is an error record in the output.
BAD_LINES = 65


def scored(lines, command, first_line):
    """The output's lines for those of a partition, as they come."""
    process = subprocess.Popen(
        [*command, "--quiet", "--first-line", str(first_line)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    errors, failures = [], []

    def feed():
        try:
            with process.stdin as target:
                for line in lines:
                    target.write(line.encode() + b"\n")
        except BrokenPipeError:
            pass  # its exit code tells why
        except BaseException as failure:  # of reading the partition: what was scored isn't all of it
            failures.append(failure)

    threads = [threading.Thread(target=feed), threading.Thread(target=lambda: errors.append(process.stderr.read()))]
    for thread in threads:
        thread.start()
    for line in process.stdout:
        yield line.rstrip(b"\n").decode()
    for thread in threads:
        thread.join()
    code = process.wait()
    if failures:
        raise failures[0]
    if code not in (0, BAD_LINES):
        raise RuntimeError(f"exit {process.returncode} of {command[0]}: {errors[0].decode(errors='replace').strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts")
    parser.add_argument("out")
    parser.add_argument("--score", default="score", help="the program, or its path on every host")
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", default="text", choices=["text", "ndjson"])
    parser.add_argument("--split-size", type=int, default=32 << 20, help="bytes of a partition, at most (default: 32 MiB)")
    parser.add_argument("--threads", type=int, default=1, help="of every process; as many as a task has cores")
    parser.add_argument("--ship", action="store_true", help="send the program and the model to the executors")
    parser.add_argument("--option", action="append", default=[], help="one more word for score, as --option=--raw")
    arguments = parser.parse_args()

    spark = SparkSession.builder.appName("score").getOrCreate()
    context = spark.sparkContext
    if arguments.ship:
        # Of directories, Spark sends archives.
        archive = os.path.join(tempfile.mkdtemp(), "model.tar")
        with tarfile.open(archive, "w") as tar:
            for name in sorted(os.listdir(arguments.model)):
                tar.add(os.path.join(arguments.model, name), arcname=name)
        context.addArchive(archive + "#model")
        context.addFile(arguments.score)
    names = os.path.basename(arguments.score), "model"

    def command():
        score, model = (SparkFiles.get(name) for name in names) if arguments.ship else (arguments.score, arguments.model)
        if arguments.ship:
            os.chmod(score, 0o755)
        return [score, "--model", model, "--input", arguments.input, "--threads", str(arguments.threads), *arguments.option]

    # Only a line feed ends a line, as score has it; Hadoop's own default ends it at CR, too.
    lines = context.newAPIHadoopFile(
        arguments.texts, "org.apache.hadoop.mapreduce.lib.input.TextInputFormat", "org.apache.hadoop.io.LongWritable",
        "org.apache.hadoop.io.Text",
        conf={"textinputformat.record.delimiter": "\n",
              "mapreduce.input.fileinputformat.split.maxsize": str(arguments.split_size)}).values()
    # How many lines there are before each partition: a pass that only counts.
    counts = lines.mapPartitions(lambda part: [sum(1 for _ in part)]).collect()
    first = [1 + sum(counts[:index]) for index in range(len(counts))]
    lines.mapPartitionsWithIndex(lambda index, part: scored(part, command(), first[index])).saveAsTextFile(arguments.out)
    spark.stop()


if __name__ == "__main__":
    main()
