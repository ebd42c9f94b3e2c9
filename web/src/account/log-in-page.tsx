import { users } from "../api/clients.ts";
import { BadInput } from "../api/failure.ts";
import { farewell, welcomeUser } from "../api/session.ts";
import { Field, Form, type FormValues } from "../parts/form.tsx";
import { Door } from "./door.tsx";

/** Logs in. It stands in the place of the page that was asked for, which comes once one is in. */
export function LogInPage() {
  async function send(values: FormValues): Promise<void> {
    const [email, password] = [values("email"), values("password")];
    const wrong = {
      ...(email.trim() === "" && { email: "Your e-mail address, please." }),
      ...(password === "" && { password: "Your password, please." }),
    };
    if (Object.keys(wrong).length > 0) throw new BadInput(wrong);
    const { user, token } = await users.login({ email: email.trim(), password });
    welcomeUser(user, token);
  }
  return (
    <Door title="Log in" word={farewell.value}>
      <Form send={send} verb="Log in">
        <Field label="E-mail" name="email" type="email" autoComplete="username" inputMode="email" />
        <Field label="Password" name="password" type="password" autoComplete="current-password" />
      </Form>
      <p class="aside">
        New here? <a href="#/register">Make an account</a>
      </p>
    </Door>
  );
}
