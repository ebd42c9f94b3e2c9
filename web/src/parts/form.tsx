import { useSignal } from "@preact/signals";
import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useId, useRef } from "preact/hooks";
import { type Failure, failureOf } from "../api/failure.ts";
import { Alert } from "./alert.tsx";

interface FormState {
  readonly errorOf: (field: string) => string | undefined;
}

const FormContext = createContext<FormState>({ errorOf: () => undefined });

/** What is wrong with a field of the form around it. */
export function useFieldError(name: string): string | undefined {
  return useContext(FormContext).errorOf(name);
}

export interface FormProps {
  /** Sends it. What it throws is shown at the fields that it names, or above the button. */
  readonly send: (values: FormValues) => Promise<void>;
  /** What the button says. */
  readonly verb: string;
  readonly danger?: boolean;
  readonly children: ComponentChildren;
}

/** What was typed, by field. */
export type FormValues = (name: string) => string;

/** A form that says what is wrong where it is wrong, and takes the focus there. */
export function Form({ send, verb, danger = false, children }: FormProps) {
  const busy = useSignal(false);
  const failure = useSignal<Failure | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    failure.value = undefined;
    const data = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await send((name) => String(data.get(name) ?? ""));
    } catch (error) {
      failure.value = failureOf(error);
    } finally {
      busy.value = false;
    }
  }

  const problem = failure.value;
  useEffect(() => {
    if (problem === undefined) return;
    const place = form.current?.querySelector<HTMLElement>("[aria-invalid=true], [role=alert]");
    place?.focus();
  }, [problem]);

  return (
    <FormContext.Provider value={{ errorOf: (name) => problem?.fields.get(name) }}>
      <form ref={form} class="form" noValidate onSubmit={submit} aria-busy={busy.value}>
        {children}
        {problem && <Alert text={textOf(problem, form.current)} />}
        <button type="submit" class={danger ? "danger" : "primary"} aria-disabled={busy.value}>
          {busy.value ? "One moment…" : verb}
        </button>
      </form>
    </FormContext.Provider>
  );
}

/** Violations of fields that the form does not show are told as well. */
function textOf({ message, fields }: Failure, form: HTMLFormElement | null): string {
  const elsewhere = [...fields].filter(([name]) => !form?.elements.namedItem(name));
  return [message, ...elsewhere.map(([name, text]) => `${name}: ${text}`)].join(" ");
}

export interface FieldProps {
  readonly label: string;
  /** Its place in the request, which violations name. */
  readonly name: string;
  readonly type?: "text" | "email" | "password";
  readonly hint?: string;
  readonly autoComplete?: string;
  readonly inputMode?: "decimal" | "numeric" | "text" | "email";
  readonly value?: string;
  readonly onInput?: (value: string) => void;
}

/** A labelled input, with its hint and what is wrong with it. */
export function Field({ label, name, hint, type = "text", onInput, ...input }: FieldProps) {
  const id = useId();
  const error = useFieldError(name);
  const shown = useSignal(false);
  const describedBy = `${hint ? `${id}-hint` : ""} ${error ? `${id}-error` : ""}`.trim();
  return (
    <div class={error ? "field wrong" : "field"}>
      <label for={id}>{label}</label>
      <div class="input">
        <input
          {...input}
          id={id}
          name={name}
          type={shown.value ? "text" : (type as "text")}
          aria-invalid={error !== undefined}
          {...(describedBy && { "aria-describedby": describedBy })}
          {...(onInput && {
            onInput: (event: InputEvent) =>
              onInput((event.currentTarget as HTMLInputElement).value),
          })}
        />
        {type === "password" && (
          <button
            type="button"
            class="bare reveal"
            aria-pressed={shown.value}
            aria-label={`Show ${label.toLowerCase()}`}
            onClick={() => {
              shown.value = !shown.value;
            }}
          >
            {shown.value ? "Hide" : "Show"}
          </button>
        )}
      </div>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
