import assert from "node:assert/strict";
import { test } from "node:test";
import { createPasswordRules } from "./password-rules.ts";

const rules = createPasswordRules(15);
const ann = { name: "Ann-Marie O'Neill", email: "am.oneill@example.com" };

test("passphrases and random passwords are fine", () => {
  for (const password of [
    "a long enough passphrase",
    "correct horse battery staple",
    "kJ8#mQ2$vL9@xR4",
    "x8Kq2mZp0LrT5vNa",
    "Привет, как дела сегодня?",
    "密码密码不是一个好密码但是很长很长",
    "Ann says: bring the umbrella",
    "0f8fad5b-d9cb-469f-a165-70867728950e",
  ])
    assert.equal(rules(password, ann), undefined, password);
});

function breaks(rule: string, passwords: readonly string[]): void {
  for (const password of passwords)
    assert.equal(rules(password, ann)?.rule, `password.${rule}`, password);
}

test("short ones are refused, and what counts is characters", () => {
  breaks("min_length", ["", "kJ8#mQ2$vL9@xR", "🦊🦉🐍🐢🐇🦔🐁🦎"]);
  assert.match(rules("short", ann)?.message ?? "", /at least 15 characters/);
});

test("common ones are refused, dressed up or not", () => {
  breaks("common", [
    "password12345678",
    "Password!!!!!!!!",
    "12345678password",
    "P@ssw0rd12345678",
    "passwordpassword",
    "qwerty123456789",
    "iloveyou20242024",
    "1qaz2wsx3edc4rfv",
  ]);
});

test("repetitions and sequences are refused", () => {
  breaks("pattern", [
    "aaaaaaaaaaaaaaaaa",
    "xqxqxqxqxqxqxqxq",
    "k7!k7!k7!k7!k7!k7!",
    "abcdefghijklmnop",
    "zyxwvutsrqponmlk",
    "qwertyuiopasdfgh",
    "poiuytrewqlkjhgf",
    "1234567890987654",
    "aaaabbbbccccdddd",
  ]);
});

test("the own name and e-mail are refused, words of three letters are not", () => {
  breaks("personal", [
    "my name is Marie now",
    "what does O'NEILL say",
    "am.oneill@example.com",
    "mail to am.oneill today",
  ]);
});

test("looking at the longest password takes no noticeable time", () => {
  const startedAt = process.cpuUsage().user;
  for (const unit of ["a", "ab", "abc1", "@0!", "\u0130", "ß", "👩‍👩‍👧"])
    for (let i = 0; i < 100; i++) rules(unit.repeat(256).slice(0, 256), ann);
  const milliseconds = (process.cpuUsage().user - startedAt) / 1000;
  assert.ok(milliseconds < 2_000, `${milliseconds} ms for 700 passwords`);
});
