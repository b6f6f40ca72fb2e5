#!/usr/bin/env python3
"""Judges the Avro codec by fastavro: each reads what the other wrote, in all four codecs.

Usage: avro_fastavro.py PATH_OF_AVRO_JUDGE

Needs fastavro, cramjam (snappy) and zstandard (backports.zstd on newer fastavro). Exits non-zero at the
first difference; prints how many files and cells were compared, which is never none.
"""

import base64
import datetime
import decimal
import io
import json
import math
import subprocess
import sys
import tempfile

import fastavro

CODECS = ("null", "deflate", "snappy", "zstandard")
UTC = datetime.timezone.utc

# Edge values of each BigQuery type, in the forms that the judge prints and takes.
VALUES = {
    "INTEGER": [0, -1, 63, 64, -65, 2**31, 2**63 - 1, -(2**63)],
    "FLOAT": [0.0, -0.0, 1.5, "NaN", "Infinity", "-Infinity", 5e-324, 1.7976931348623157e308],
    "BOOLEAN": [True, False],
    "STRING": ["", "a", "nul\0inside", "\U0001f4be astral", "x" * 9000],
    "BYTES": ["", "AA==", "/////w=="],
    "NUMERIC": ["0", "-1", "0.000000001", "-128", "127", "9" * 29 + "." + "9" * 9, "-" + "9" * 29 + "." + "9" * 9],
    "BIGNUMERIC": ["0", "-1", "0." + "0" * 37 + "1", "5" + "7" * 38 + "." + "8" * 38, "-" + "4" * 39 + "." + "1" * 38],
    "TIMESTAMP": ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2000-02-29T12:00:00.5Z",
                  "9999-12-31T23:59:59.999999Z"],
    "DATE": ["0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31"],
    "TIME": ["00:00:00", "00:00:00.000001", "23:59:59.999999"],
    "DATETIME": ["0001-01-01T00:00:00", "1969-12-31T23:59:59.999999", "9999-12-31T23:59:59.9"],
    "GEOGRAPHY": ["POINT(1 2)"],
    "JSON": ['{"b":1,"a":[12345678901234567890]}'],
    "INTERVAL": ["-1-2 3 -4:5:6.789"],
}

cells_compared = 0


def to_python(kind, value, datetime_is_text):
    """What fastavro should give for a cell of that type."""
    if value is None:
        return None
    if kind == "FLOAT":
        return float(value.replace("Infinity", "inf")) if isinstance(value, str) else float(value)
    if kind == "BYTES":
        return base64.b64decode(value)
    if kind in ("NUMERIC", "BIGNUMERIC"):
        return decimal.Decimal(value)
    if kind == "TIMESTAMP":
        return datetime.datetime.fromisoformat(pad(value[:-1])).replace(tzinfo=UTC)
    if kind == "DATE":
        return datetime.date.fromisoformat(value)
    if kind == "TIME":
        return datetime.time.fromisoformat(pad(value))
    if kind == "DATETIME" and not datetime_is_text:
        return datetime.datetime.fromisoformat(pad(value))
    return value


def pad(text):
    whole, point, fraction = text.partition(".")
    return whole + point + fraction.ljust(6, "0") if point else text


def same(got, wanted):
    global cells_compared
    cells_compared += 1
    if isinstance(wanted, float):
        if math.isnan(wanted):
            return math.isnan(got)
        return got == wanted and math.copysign(1, got) == math.copysign(1, wanted)
    return type(got) is type(wanted) and got == wanted


def judge(binary, *args, text=None):
    done = subprocess.run([binary, *args], input=text, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        sys.exit(f"avro_judge {' '.join(args)}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours_read_by_fastavro(binary, folder):
    """Every type, in every mode and inside a record that is used twice, from us to fastavro."""
    fields = []
    for kind in VALUES:
        for mode in ("REQUIRED", "NULLABLE", "REPEATED"):
            fields.append({"name": f"{kind}_{mode}".lower(), "type": kind, "mode": mode})
    inner = [{"name": "größe", "type": "INTEGER", "mode": "NULLABLE"}]
    twice = [{"name": "same", "type": "RECORD", "mode": "NULLABLE", "fields": inner}]
    fields.append({"name": "one", "type": "RECORD", "mode": "REPEATED", "fields": twice})
    fields.append({"name": "two", "type": "RECORD", "mode": "NULLABLE", "fields": twice})
    rows = []
    for i in range(max(map(len, VALUES.values())) * 3):
        row = {"one": [{"same": {"größe": i}}, {"same": None}] if i % 2 else [], "two": {"same": {"größe": -i}}}
        for kind, values in VALUES.items():
            value = values[i % len(values)]
            row[f"{kind}_required".lower()] = value
            row[f"{kind}_nullable".lower()] = None if i % 3 == 0 else value
            row[f"{kind}_repeated".lower()] = values[: i % 3]
        rows.append(row)
    text = "\n".join(json.dumps(line) for line in [{"fields": fields}] + rows) + "\n"
    for codec in CODECS:
        for form in ("text", "micros"):
            path = f"{folder}/ours-{codec}-{form}.avro"
            judge(binary, "encode", path, codec, form, text=text)
            with open(path, "rb") as file:
                got = list(fastavro.reader(file))
            assert len(got) == len(rows), (codec, len(got))
            for row, wanted in zip(got, rows):
                compare_row(row, wanted, form == "text")
            assert judge(binary, "decode", path)[1:] == rows, f"our own reading of {path}"


def compare_row(row, wanted, datetime_is_text):
    for kind in VALUES:
        for mode in ("required", "nullable"):
            name = f"{kind}_{mode}".lower()
            expected = to_python(kind, wanted[name], datetime_is_text)
            assert same(row[name], expected), (name, row[name], expected)
        name = f"{kind}_repeated".lower()
        assert len(row[name]) == len(wanted[name]), name
        for got, value in zip(row[name], wanted[name]):
            expected = to_python(kind, value, datetime_is_text)
            assert same(got, expected), (name, got, expected)
    plain = [{"same": e["same"] and {"c0001": e["same"]["größe"]}} for e in wanted["one"]]
    assert row["one"] == plain, row["one"]
    assert row["two"] == {"same": {"c0001": wanted["two"]["same"]["größe"]}}


FOREIGN_SCHEMA = {
    "type": "record", "name": "Foreign", "namespace": "org.example", "doc": "of another writer", "fields": [
        {"name": "small", "type": "int"},
        {"name": "single", "type": "float"},
        {"name": "suit", "type": {"type": "enum", "name": "Suit", "symbols": ["SPADES", "HEARTS"]}},
        {"name": "md5", "type": {"type": "fixed", "name": "Md5", "size": 4}},
        {"name": "tags", "type": {"type": "map", "values": ["null", "long"]}},
        {"name": "turned", "type": ["string", "null"]},
        {"name": "again", "type": ["null", "Suit"], "default": None},
        {"name": "millis", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "clock", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "local", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
        {"name": "price", "type": {"type": "fixed", "name": "Price", "size": 9, "logicalType": "decimal",
                                   "precision": 20, "scale": 4}},
        {"name": "points", "type": {"type": "array", "items": {
            "type": "record", "name": "Point", "fields": [{"name": "x", "type": "double"},
                                                          {"name": "near", "type": {"type": "array", "items": "Suit"}}]}}},
    ]}


def fastavro_read_by_ours(binary, folder):
    """Types that we never write ourselves, from fastavro to us."""
    rows, wanted = [], []
    for i in range(500):
        rows.append({
            "small": i - 250, "single": i / 4, "suit": "HEARTS", "md5": bytes([i % 256] * 4),
            "tags": {"k": i, "none": None} if i % 2 else {}, "turned": None if i % 3 else f"é{i}",
            "again": "SPADES" if i % 5 else None,
            "millis": datetime.datetime(1960, 1, 1, 0, 0, 0, 5000, UTC), "clock": datetime.time(1, 2, 3, 4000),
            "local": datetime.datetime(2024, 2, 29, 1, 2, 3, 4), "price": decimal.Decimal(i - 250) / 100,
            "points": [{"x": float(j), "near": ["HEARTS"] * j} for j in range(i % 4)]})
        wanted.append({
            "small": i - 250, "single": i / 4, "suit": "HEARTS",
            "md5": base64.b64encode(bytes([i % 256] * 4)).decode(),
            "tags": [{"key": "k", "value": i}, {"key": "none", "value": None}] if i % 2 else [],
            "turned": None if i % 3 else f"é{i}", "again": "SPADES" if i % 5 else None,
            "millis": "1960-01-01T00:00:00.005Z", "clock": "01:02:03.004", "local": "2024-02-29T01:02:03.000004",
            "price": canonical(decimal.Decimal(i - 250) / 100),
            "points": [{"x": float(j), "near": ["HEARTS"] * j} for j in range(i % 4)]})
    for codec in CODECS:
        path = f"{folder}/foreign-{codec}.avro"
        with open(path, "wb") as file:
            fastavro.writer(file, FOREIGN_SCHEMA, rows, codec=codec, sync_interval=2000)
        got = judge(binary, "decode", path)
        assert len(got) == len(wanted) + 1, (codec, len(got))
        for row, expected in zip(got[1:], wanted):
            for name, value in expected.items():
                assert same(row[name], value), (codec, name, row[name], value)


def canonical(number):
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def damage_is_refused(binary, folder):
    """A file that fastavro wrote, cut in the middle: non-zero exit and a message, not rows."""
    buffer = io.BytesIO()
    fastavro.writer(buffer, FOREIGN_SCHEMA["fields"][0] | {"type": "record", "name": "R", "fields": [
        {"name": "x", "type": "long"}]}, [{"x": i} for i in range(1000)])
    path = f"{folder}/cut.avro"
    with open(path, "wb") as file:
        file.write(buffer.getvalue()[:-10])
    done = subprocess.run([binary, "decode", path], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode != 0 and "A0002" in done.stderr, done.stderr


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    decimal.getcontext().prec = 100
    with tempfile.TemporaryDirectory() as folder:
        ours_read_by_fastavro(sys.argv[1], folder)
        fastavro_read_by_ours(sys.argv[1], folder)
        damage_is_refused(sys.argv[1], folder)
    assert cells_compared > 0
    print(f"avro: fastavro {fastavro.__version__} and we agree on {cells_compared} cells in {len(CODECS)} codecs")


if __name__ == "__main__":
    main()
