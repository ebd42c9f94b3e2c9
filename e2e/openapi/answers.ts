import assert from "node:assert/strict";
import { Ajv2020, type AnySchema, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Answer } from "../client.ts";
import { type Document, type Operation, resolve, type Schema } from "./document.ts";

/** Holds answers against a document. */
export interface AnswerCheck {
  /** @throws when the document does not know such an answer of the operation. */
  check(operation: Operation, answer: Answer<unknown>): void;
}

export function createAnswerCheck(document: Document): AnswerCheck {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  // Clients have to bear fields to come; today's answers hold none that the document does not name.
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => [
    name,
    schema.properties ? { ...schema, additionalProperties: false } : schema,
  ]);
  ajv.addSchema({ $id: "answers", components: { schemas: Object.fromEntries(schemas) } });
  const compiled = new Map<string, ValidateFunction>();

  function validatorOf({ $ref = "" }: Schema): ValidateFunction {
    const validate = compiled.get($ref) ?? ajv.compile({ $ref: `answers${$ref}` } as AnySchema);
    compiled.set($ref, validate);
    return validate;
  }

  return {
    check({ operationId, responses }, { status, headers, body }) {
      assert.ok(status < 500, `${operationId} answered ${status}: ${JSON.stringify(body)}`);
      assert.ok(headers.get("x-request-id"), "every answer has a request id");
      assert.equal(headers.has("www-authenticate"), status === 401);
      const response = responses[status] ?? responses.default;
      assert.ok(
        status >= 400 || responses[status],
        `${operationId}: ${status} is not in the document`,
      );
      const { content } = resolve(document, response ?? assert.fail("no default"));
      const contentType = headers.get("content-type")?.split(";")[0];
      if (content === undefined) return assert.deepEqual([contentType, body], [undefined, ""]);
      const found = content[contentType ?? ""];
      assert.ok(found, `${operationId}: ${contentType} is not in the document`);
      const event = found["x-event-data"];
      const validate = validatorOf(event ?? found.schema);
      for (const each of event ? eventsIn(String(body)) : [body])
        assert.ok(validate(each), `${operationId} ${status}: ${JSON.stringify(validate.errors)}`);
    },
  };
}

/** The data of the events in a text. Heartbeats have none. */
function eventsIn(text: string): unknown[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ""));
}
