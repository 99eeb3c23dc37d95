import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { withSamples } from "../../../web/src/docs/samples.js";

const PROGRAM = 'import json; from gallery.http.routes import document; print(json.dumps(document("http://gallery")))';
const python = new URL("../../../.venv/bin/python", import.meta.url).pathname;
const source = new URL("../../../src", import.meta.url).pathname;
const contract = JSON.parse(
  execFileSync(python, ["-c", PROGRAM], { env: { ...process.env, PYTHONPATH: source }, maxBuffer: 2 ** 24 }),
);
const operations = Object.values(withSamples(contract).paths).flatMap((methods) =>
  Object.values(methods).filter(({ operationId }) => operationId),
);

test("every operation belongs to a group that is described", () => {
  const { tags } = withSamples(contract);
  for (const { tags: own } of operations) assert.ok(tags.some(({ name }) => name === own[0]));
});

test("every body has a sample that keeps to its schema's fields", () => {
  for (const { operationId, requestBody } of operations) {
    const body = requestBody?.content["application/json"];
    if (!body) continue;
    assert.ok(body.example, operationId);
    const schema = contract.components.schemas[body.schema.$ref.split("/").at(-1)];
    for (const [name, value] of Object.entries(body.example)) {
      const field = schema.properties[name];
      assert.ok(field, `${operationId}: ${name}`);
      if (field.pattern) assert.match(value, new RegExp(field.pattern, "u"));
    }
    for (const name of schema.required ?? []) assert.ok(name in body.example, `${operationId}: ${name}`);
  }
});

test("every error has a sample with a code of its own", () => {
  for (const { operationId, responses } of operations)
    for (const [status, { content }] of Object.entries(responses)) {
      if (Number(status) < 400 || !content) continue;
      const samples = content["application/json"].examples;
      assert.ok(samples, `${operationId} ${status}`);
      for (const [code, { value }] of Object.entries(samples)) assert.equal(value.code, code);
    }
});
