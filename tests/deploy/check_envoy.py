"""Read an Envoy configuration into Envoy's own messages; run by an interpreter that has xds-protos.

Their names and types are Envoy's, so that a field that it does not know, a value of another type
and an extension that is not there end this with an error.
"""

import importlib
import re
import sys
from pathlib import Path

import yaml
from envoy.config.bootstrap.v3.bootstrap_pb2 import Bootstrap
from google.protobuf.json_format import ParseDict

text = Path(sys.argv[1]).read_text()
for package in set(re.findall(r"type\.googleapis\.com/(envoy\.[\w.]+)\.\w+", text)):
    folder = Path(importlib.import_module(package).__path__[0])
    for module in folder.glob("*_pb2.py"):
        importlib.import_module(f"{package}.{module.stem}")
bootstrap = ParseDict(yaml.safe_load(text), Bootstrap())
print(*(cluster.name for cluster in bootstrap.static_resources.clusters))
