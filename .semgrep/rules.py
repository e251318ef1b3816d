"""What each rule finds, and what it leaves alone; `semgrep test` reads the comments."""

import csv
import hmac
import json
import os
import pickle
import random
import secrets
import ssl
import subprocess

import httpx
import jinja2
import yaml


def read(text: bytes, archive, known: str, secret: str):
    # ruleid: no-code-from-data
    pickle.loads(text)
    # ruleid: no-code-from-data
    yaml.unsafe_load(text)
    # ruleid: no-code-from-data
    eval(text)
    # ok: no-code-from-data
    json.loads(text)
    # ok: no-code-from-data
    yaml.safe_load(text)
    # ruleid: no-names-from-archives
    archive.extractall("folder")
    # ok: no-names-from-archives
    archive.open("manifest.json")
    # ruleid: secrets-in-constant-time
    if secret == known:
        return
    # ok: secrets-in-constant-time
    if hmac.compare_digest(secret, known):
        return


def call(url: str):
    # ruleid: no-shell
    os.system(url)
    # ruleid: no-shell
    subprocess.run(url, shell=True)
    # ok: no-shell
    subprocess.run(["tactful", "serve"])
    # ruleid: certificates-are-checked
    httpx.get(url, verify=False)
    # ruleid: certificates-are-checked
    ssl._create_unverified_context()
    # ok: certificates-are-checked
    httpx.get(url)
    # ruleid: templates-escape
    jinja2.Environment()
    # ok: templates-escape
    jinja2.Environment(autoescape=True)
    # ruleid: secrets-from-the-system
    random.choice(url)
    # ok: secrets-from-the-system
    secrets.token_hex(24)


def write(table, file):
    # ruleid: no-formulas-in-tables
    table.to_csv(file)
    # ruleid: no-formulas-in-tables
    csv.writer(file)
    # ok: no-formulas-in-tables
    table.to_parquet(file)
