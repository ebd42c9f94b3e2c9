import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyPlaces } from "./body-places.ts";

/** Asks for so many places, and notes who has got one. */
function crowd(places: BodyPlaces, count: number) {
  const inside: number[] = [];
  const leave = Array.from({ length: count }, (_, index) =>
    places.take(() => void inside.push(index)),
  );
  return { inside, leave: (index: number) => leave[index]?.() };
}

test("who leaves hands the place to who waits longest", () => {
  const { inside, leave } = crowd(new BodyPlaces(2), 4);
  assert.deepEqual(inside, [0, 1]);
  leave(1);
  assert.deepEqual(inside, [0, 1, 2]);
  leave(0);
  assert.deepEqual(inside, [0, 1, 2, 3]);
});

test("who leaves while waiting frees no place, and gets none", () => {
  const { inside, leave } = crowd(new BodyPlaces(1), 3);
  leave(1);
  assert.deepEqual(inside, [0]);
  leave(0);
  assert.deepEqual(inside, [0, 2]);
});

test("a place that nobody waits for is there for the next", () => {
  const places = new BodyPlaces(1);
  for (let round = 0; round < 3; round++) {
    const { inside, leave } = crowd(places, 1);
    assert.deepEqual(inside, [0]);
    leave(0);
  }
});
