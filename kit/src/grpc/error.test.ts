import assert from "node:assert/strict";
import http2 from "node:http2";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  errorFromReset,
  isTransportFailure,
  neverRan,
  normalizeGrpcError,
  transportError,
} from "./error.ts";

const { constants } = http2;

function normalized(error: ConnectError, signal?: AbortSignal): ConnectError {
  const result = normalizeGrpcError(error, signal);
  assert.ok(result instanceof ConnectError);
  return result;
}

/** An error as connect-node makes it from one of node's. */
function fromNode(code: string, connectCode: Code, message = code): ConnectError {
  const cause = Object.assign(new Error(message), { code });
  return new ConnectError(message, connectCode, undefined, undefined, cause);
}

function fromWire(code: Code): ConnectError {
  return Object.assign(new ConnectError("said the service", code), { isWireError: true });
}

test("a broken connection is unavailable, whatever the stock transport calls it", () => {
  const errors = [
    fromNode("ECONNRESET", Code.Aborted),
    fromNode("ERR_HTTP2_SESSION_ERROR", Code.Internal),
    fromNode("ERR_STREAM_DESTROYED", Code.Aborted),
    new ConnectError("http/2 stream closed with error code CANCEL (0x8)", Code.Canceled),
  ];
  for (const error of errors) {
    const result = normalized(error);
    assert.equal(result.code, Code.Unavailable, error.message);
    assert.deepEqual([isTransportFailure(result), neverRan(result)], [true, false]);
  }
});

test("what never left, or was refused unseen, provably never ran", () => {
  const refused = "Stream closed with error code NGHTTP2_REFUSED_STREAM";
  const errors = [
    fromNode("ECONNREFUSED", Code.Unavailable),
    fromNode("ENOTFOUND", Code.Unavailable),
    fromNode("ERR_HTTP2_STREAM_ERROR", Code.Internal, refused),
  ];
  for (const error of errors) assert.equal(neverRan(normalized(error)), true, error.message);
});

test("the caller's own cancel stays canceled", () => {
  const error = new ConnectError(
    "http/2 stream closed with error code CANCEL (0x8)",
    Code.Canceled,
  );
  assert.equal(normalized(error, AbortSignal.abort()), error);
  const wire = fromWire(Code.Canceled);
  assert.equal(normalized(wire, AbortSignal.abort()), wire);
});

test("a canceled that the service made up is its failure, but not the connection's", () => {
  const result = normalized(fromWire(Code.Canceled), new AbortController().signal);
  assert.equal(result.code, Code.Unavailable);
  assert.equal(isTransportFailure(result), false);
});

test("what the service said otherwise stays as it is", () => {
  for (const code of [Code.Aborted, Code.Internal, Code.NotFound, Code.Unavailable]) {
    const error = fromWire(code);
    assert.equal(normalized(error), error);
  }
});

test("an error of our own code is not taken for the network's", () => {
  const errors = [
    new ConnectError("parse binary: premature EOF", Code.Internal),
    fromNode("ERR_BUFFER_TOO_LARGE", Code.ResourceExhausted),
    fromNode("ERR_ASSERTION", Code.Internal),
  ];
  for (const error of errors) assert.equal(normalized(error), error);
});

test("a reset is unavailable, except when the service asks for calm or for more security", () => {
  const codeOf = (rstCode: number) => errorFromReset(rstCode, true).code;
  assert.equal(codeOf(constants.NGHTTP2_CANCEL), Code.Unavailable);
  assert.equal(codeOf(constants.NGHTTP2_INTERNAL_ERROR), Code.Unavailable);
  assert.equal(codeOf(constants.NGHTTP2_ENHANCE_YOUR_CALM), Code.ResourceExhausted);
  assert.equal(codeOf(constants.NGHTTP2_INADEQUATE_SECURITY), Code.PermissionDenied);
  assert.equal(neverRan(errorFromReset(constants.NGHTTP2_REFUSED_STREAM, true)), true);
  assert.equal(neverRan(errorFromReset(constants.NGHTTP2_NO_ERROR, true)), false);
});

test("a wrapped transport error is still recognised, anything else is not", () => {
  const cause = transportError("reset", false);
  const outer = new ConnectError("no answer", Code.Unavailable, undefined, undefined, cause);
  assert.deepEqual([isTransportFailure(outer), neverRan(outer)], [true, true]);
  for (const other of [
    undefined,
    "text",
    new Error("x"),
    new ConnectError("x", Code.Unavailable),
  ]) {
    assert.deepEqual([isTransportFailure(other), neverRan(other)], [false, false]);
  }
});
