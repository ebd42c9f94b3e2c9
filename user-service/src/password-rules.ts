import type { FieldViolation } from "@3l1/kit/rpc/violation.ts";
import { dictionary } from "@zxcvbn-ts/language-common";

/** Whose password it is to be: a guesser tries these first. */
export interface PasswordOwner {
  readonly name: string;
  readonly email: string;
}

/** Finds what is wrong with a password, `undefined` if nothing is. */
export type PasswordRules = (
  password: string,
  owner: PasswordOwner,
) => Omit<FieldViolation, "field"> | undefined;

/** Shorter words are in too many good passwords. */
const minWordLength = 4;
/** What is left of a password without its digits and marks counts as a common one only from here on. */
const minCommonLength = 5;
const keyboardRows = [
  "1234567890",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "azertyuiop",
];
/** How people write letters as digits and marks. */
const lookAlikes: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

/**
 * The rules for new passwords, after NIST SP 800-63B: length, and nothing that is guessed first. No
 * rules on what characters to use. All of it is linear in the length, which the schema bounds.
 *
 * @param minLength in characters
 */
export function createPasswordRules(minLength: number): PasswordRules {
  const common = new Set(dictionary["passwords-common"]);
  return (password, owner) => {
    const characters = [...password.normalize("NFKC").toLowerCase()];
    const text = characters.join("");
    if (characters.length < minLength)
      return broken("min_length", `must have at least ${minLength} characters`);
    if (variantsOf(text).some((variant) => common.has(variant)))
      return broken("common", "is too easy to guess: it is a common password");
    if (unpredictable(characters) < minLength / 2)
      return broken("pattern", "is too easy to guess: it is mostly a sequence or a repetition");
    const word = wordsOf(owner).find((each) => text.includes(each));
    if (word !== undefined) return broken("personal", "must not contain your name or e-mail");
    return undefined;
  };
}

function broken(rule: string, message: string) {
  return { rule: `password.${rule}`, message };
}

/** What a password comes down to: without its decoration, its repetition, its look-alikes. */
function variantsOf(text: string): string[] {
  const plain = [text, unitOf(text)];
  const bare = plain.map((each) => each.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, ""));
  const read = [...plain, ...bare].map((each) =>
    each.replaceAll(/[013457@$!]/g, (mark) => lookAlikes[mark] ?? mark),
  );
  const stems = [...bare, ...read].filter((stem) => stem.length >= minCommonLength);
  return [...plain, ...stems, ...stems.map(unitOf)];
}

/** The shortest text that gives the whole one when repeated. */
function unitOf(text: string): string {
  // A text is its own rotation by the length of its unit, and by nothing shorter.
  return text.slice(0, (text + text).indexOf(text, 1));
}

/** How many characters do not follow from those before: 2 in `abcdefgh`, 1 in `aaaa`, 3 in `abxabxabx`. */
function unpredictable(characters: readonly string[]): number {
  const unit = [...unitOf(characters.join(""))];
  return unit.filter((character, index) => !follows(character, unit[index - 1], unit[index - 2]))
    .length;
}

function follows(character: string, before = "", beforeThat = ""): boolean {
  if (before === "") return false;
  const step = stepBetween(before, character);
  return step === 0 || (step !== undefined && step === stepBetween(beforeThat, before));
}

/** How far two characters are apart, if they are neighbours in the alphabet or on a keyboard, or equal. */
function stepBetween(from: string, to: string): number | undefined {
  if (from === "") return undefined;
  const step = (to.codePointAt(0) ?? 0) - (from.codePointAt(0) ?? 0);
  if (Math.abs(step) <= 1) return step;
  for (const row of keyboardRows) {
    const distance = row.indexOf(to) - row.indexOf(from);
    if (row.includes(from) && row.includes(to) && Math.abs(distance) === 1) return distance;
  }
  return undefined;
}

function wordsOf({ name, email }: PasswordOwner): string[] {
  const at = email.lastIndexOf("@");
  const words = [email, email.slice(0, at), ...name.split(/[\s\p{P}]+/u)];
  return words
    .map((word) => word.normalize("NFKC").toLowerCase())
    .filter((word) => [...word].length >= minWordLength);
}
