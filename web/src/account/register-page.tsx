import { Code } from "@connectrpc/connect";
import { users } from "../api/clients.ts";
import { BadInput, hasCode } from "../api/failure.ts";
import { welcomeUser } from "../api/session.ts";
import { go } from "../app/router.ts";
import { Field, Form, type FormValues } from "../parts/form.tsx";
import { toast } from "../parts/toasts.tsx";
import { Door } from "./door.tsx";

/** Makes an account. */
export function RegisterPage() {
  async function send(values: FormValues): Promise<void> {
    const [name, email, password] = [values("name"), values("email").trim(), values("password")];
    const wrong = {
      ...(name.trim() === "" && { name: "What should we call you?" }),
      ...(email === "" && { email: "An e-mail address, to log in with." }),
      ...(password === "" && { password: "A password, please." }),
    };
    if (Object.keys(wrong).length > 0) throw new BadInput(wrong);
    try {
      const { user, token } = await users.register({ name: name.trim(), email, password });
      go("/orders", { replace: true });
      welcomeUser(user, token);
      toast(`Welcome, ${user?.name}.`);
    } catch (error) {
      if (!hasCode(error, Code.AlreadyExists)) throw error;
      throw new BadInput({ email: "This e-mail has an account already. Log in instead?" });
    }
  }
  return (
    <Door title="Make an account">
      <Form send={send} verb="Make the account">
        <Field label="Name" name="name" autoComplete="name" />
        <Field label="E-mail" name="email" type="email" autoComplete="username" inputMode="email" />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="A few words that do not belong together make a good one."
        />
      </Form>
      <p class="aside">
        Been here before? <a href="#/login">Log in</a>
      </p>
    </Door>
  );
}
