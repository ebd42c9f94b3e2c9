/** A problem to tell in words: the message says what is wrong and what to do, and no stack helps. */
export class StartError extends Error {
  override name = "StartError";
}
