import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import { orders as client } from "../api/clients.ts";
import { BadInput } from "../api/failure.ts";
import { go } from "../app/router.ts";
import { Field, Form, type FormValues, useFieldError } from "../parts/form.tsx";
import { Icon } from "../parts/icon.tsx";
import { Page } from "../parts/page.tsx";
import { toast } from "../parts/toasts.tsx";
import { newIdempotencyKey } from "./idempotency-key.ts";
import { digitsOf, formatMoney, parseMoney } from "./money.ts";
import { takeOrders } from "./order-book.ts";

const currencies = ["EUR", "USD", "GBP", "CHF", "JPY"];
const maxItems = 100;

interface Line {
  readonly id: number;
  readonly sku: string;
  readonly quantity: string;
  readonly price: string;
}

let lines = 0;
const emptyLine = (): Line => ({ id: ++lines, sku: "", quantity: "1", price: "" });

/** Places an order. */
export function NewOrderPage() {
  const items = useSignal<readonly Line[]>([emptyLine()]);
  const currency = useSignal("EUR");
  const attempt = useRef({ body: "", key: "" });

  async function send(values: FormValues): Promise<void> {
    const body = read(items.value, currency.value, values("note"));
    // The same order sent again, because its answer was lost, is the same order; another one is not.
    const text = JSON.stringify(body, (_, value) =>
      typeof value === "bigint" ? `${value}` : value,
    );
    if (attempt.current.body !== text) attempt.current = { body: text, key: newIdempotencyKey() };
    const headers = { "idempotency-key": attempt.current.key };
    const { order } = await client.createOrder(body, { headers });
    if (order === undefined) return;
    takeOrders([order]);
    toast("Your order is placed.");
    go("/orders");
  }

  const digits = digitsOf(currency.value);
  return (
    <Page title="New order">
      <Form send={send} verb="Place the order">
        <CurrencyField currency={currency} />
        <Lines items={items} digits={digits} />
        <NoteField />
        <p class="total">
          <span>Total</span>
          <span class="leader" aria-hidden="true" />
          <output class="amount">{totalOf(items.value, currency.value)}</output>
        </p>
      </Form>
    </Page>
  );
}

function Lines({ items, digits }: { items: { value: readonly Line[] }; digits: number }) {
  const list = useRef<HTMLOListElement>(null);
  const set = (id: number, change: Partial<Line>) => {
    items.value = items.value.map((line) => (line.id === id ? { ...line, ...change } : line));
  };
  /** After the next frame the line is there. */
  const focusLine = (index: number) =>
    requestAnimationFrame(() =>
      list.current?.querySelectorAll("li")[index]?.querySelector("input")?.focus(),
    );
  function add(): void {
    items.value = [...items.value, emptyLine()];
    focusLine(items.value.length - 1);
  }
  function remove(index: number): void {
    items.value = items.value.toSpliced(index, 1);
    focusLine(Math.min(index, items.value.length - 1));
  }
  return (
    <fieldset class="lines">
      <legend>Items</legend>
      <ol ref={list}>
        {items.value.map(({ id, sku, quantity, price }, index) => (
          <li key={id}>
            <Field
              label="Article"
              name={`items[${index}].sku`}
              value={sku}
              autoComplete="off"
              onInput={(text) => set(id, { sku: text })}
            />
            <Field
              label="Quantity"
              name={`items[${index}].quantity`}
              value={quantity}
              inputMode="numeric"
              autoComplete="off"
              onInput={(text) => set(id, { quantity: text })}
            />
            <Field
              label="Price each"
              name={`items[${index}].unitPriceMinor`}
              value={price}
              inputMode={digits === 0 ? "numeric" : "decimal"}
              autoComplete="off"
              onInput={(text) => set(id, { price: text })}
            />
            <button
              type="button"
              class="bare remove"
              aria-label={`Remove item ${index + 1}`}
              disabled={items.value.length === 1}
              onClick={() => remove(index)}
            >
              <Icon name="trash" />
            </button>
          </li>
        ))}
      </ol>
      {items.value.length < maxItems && (
        <button type="button" class="quiet" onClick={add}>
          <Icon name="plus" /> Another item
        </button>
      )}
    </fieldset>
  );
}

function CurrencyField({ currency }: { currency: { value: string } }) {
  const id = useId();
  const error = useFieldError("currencyCode");
  return (
    <div class="field short">
      <label for={id}>Currency</label>
      <select
        id={id}
        name="currencyCode"
        value={currency.value}
        aria-invalid={error !== undefined}
        onChange={(event) => {
          currency.value = (event.currentTarget as HTMLSelectElement).value;
        }}
      >
        {currencies.map((code) => (
          <option key={code}>{code}</option>
        ))}
      </select>
    </div>
  );
}

function NoteField() {
  const id = useId();
  const error = useFieldError("note");
  return (
    <div class={error ? "field wrong" : "field"}>
      <label for={id}>
        Note <small>(optional)</small>
      </label>
      <textarea
        id={id}
        name="note"
        rows={2}
        aria-invalid={error !== undefined}
        {...(error && { "aria-describedby": `${id}-error` })}
      />
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** @throws BadInput for what is no number; all other rules are the platform's */
function read(items: readonly Line[], currencyCode: string, note: string) {
  const wrong: Record<string, string> = {};
  const read = items.map(({ sku, quantity, price }, index) => {
    const unitPriceMinor = parseMoney(price, currencyCode);
    if (sku.trim() === "") wrong[`items[${index}].sku`] = "What is it? For example tea-1.";
    if (!/^\s*\d{1,9}\s*$/.test(quantity)) wrong[`items[${index}].quantity`] = "A whole number.";
    if (unitPriceMinor === undefined)
      wrong[`items[${index}].unitPriceMinor`] = `An amount, such as ${exampleOf(currencyCode)}.`;
    return { sku: sku.trim(), quantity: Number(quantity), unitPriceMinor: unitPriceMinor ?? 0n };
  });
  if (Object.keys(wrong).length > 0) throw new BadInput(wrong);
  return { items: read, currencyCode, note };
}

function exampleOf(currencyCode: string): string {
  return (4.5).toFixed(digitsOf(currencyCode));
}

function totalOf(items: readonly Line[], currencyCode: string): string {
  const total = items.reduce((sum, { quantity, price }) => {
    const isNumber = /^\s*\d{1,9}\s*$/.test(quantity);
    return sum + (parseMoney(price, currencyCode) ?? 0n) * BigInt(isNumber ? quantity.trim() : 0);
  }, 0n);
  return formatMoney(total, currencyCode);
}
