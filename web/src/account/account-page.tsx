import { Role } from "@3l1/gen/user/v1/user_pb.ts";
import { useSignal } from "@preact/signals";
import { users } from "../api/clients.ts";
import { BadInput } from "../api/failure.ts";
import { accessToken, leave, user } from "../api/session.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Field, Form, type FormValues } from "../parts/form.tsx";
import { Page } from "../parts/page.tsx";
import { Exactly } from "../parts/time.tsx";
import { toast } from "../parts/toasts.tsx";
import { Sessions, sessionsChanged } from "./sessions.tsx";

/** One's own account: who one is, where one is logged in, the password, and the way out. */
export function AccountPage() {
  const account = user.value;
  return (
    <Page title="Account">
      <dl class="facts">
        <div>
          <dt>Name</dt>
          <dd>{account?.name}</dd>
        </div>
        <div>
          <dt>E-mail</dt>
          <dd>{account?.email}</dd>
        </div>
        <div>
          <dt>Role</dt>
          <dd>{account?.role === Role.ADMIN ? "Administrator" : "User"}</dd>
        </div>
        <div>
          <dt>Since</dt>
          <dd>
            <Exactly at={account?.createdAt} />
          </dd>
        </div>
      </dl>
      <Sessions />
      <div class="split even">
        <PasswordSection />
        <DeleteSection />
      </div>
    </Page>
  );
}

function PasswordSection() {
  const done = useSignal(0);
  async function send(values: FormValues): Promise<void> {
    const [currentPassword, newPassword] = [values("currentPassword"), values("newPassword")];
    const wrong = {
      ...(currentPassword === "" && { currentPassword: "The password you have now." }),
      ...(newPassword === "" && { newPassword: "The password you want." }),
    };
    if (Object.keys(wrong).length > 0) throw new BadInput(wrong);
    const { token } = await users.changePassword({ currentPassword, newPassword });
    accessToken.value = token;
    done.value++;
    sessionsChanged();
    toast("The password is changed. All other devices are logged out.");
  }
  return (
    <section>
      <h2>Password</h2>
      <Form key={done.value} send={send} verb="Change the password">
        <input
          class="hidden"
          type="email"
          autoComplete="username"
          value={user.value?.email}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <Field
          label="Current password"
          name="currentPassword"
          type="password"
          autoComplete="current-password"
        />
        <Field
          label="New password"
          name="newPassword"
          type="password"
          autoComplete="new-password"
          hint="It logs you out everywhere else."
        />
      </Form>
    </section>
  );
}

function DeleteSection() {
  const asking = useSignal(false);
  async function remove(): Promise<void> {
    await users.deleteUser({});
    leave("Your account is deleted.");
  }
  return (
    <section>
      <h2>Delete the account</h2>
      <p>Your sessions end at once, and your orders are removed soon after.</p>
      <button type="button" class="danger outline" onClick={() => (asking.value = true)}>
        Delete my account
      </button>
      {asking.value && (
        <Confirm
          title="Delete your account?"
          verb="Delete it for good"
          refuse="Keep it"
          act={remove}
          closed={() => (asking.value = false)}
        >
          <p>
            Everything of <strong>{user.value?.email}</strong> goes: the account, its sessions and
            its orders. Nobody can bring it back.
          </p>
        </Confirm>
      )}
    </section>
  );
}
