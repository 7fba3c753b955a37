/** Signing in. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { Login, Me, SetupState } from "@switchboard/protocol";

import { call, fieldError, formError } from "../api/http.ts";
import { meQuery, queries } from "../api/query.ts";
import { Button, FormError, TextField } from "../part/control.tsx";
import { DoorFrame } from "./frame.tsx";
import { useLacks } from "../part/lack.ts";
import { emailLacks, passwordLacks } from "./lack.ts";

/** The page. */
export function SignInPage() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const navigate = useNavigate();
  const { to, ended } = useSearch({ strict: false });
  const setup = useQuery({ queryKey: ["setup"], queryFn: ({ signal }) => call<SetupState>("setup", { signal }), staleTime: Infinity });
  async function signIn() {
    setBusy(true);
    setError(null);
    try {
      const body: Login = { email: email.trim(), password, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
      const me = await call<Me>("login", { method: "POST", body });
      queries.clear();
      queries.setQueryData(meQuery.queryKey, me);
      await navigate({ href: localPath(to) });
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  }
  const lacks = useLacks({ ...emailLacks(email), ...passwordLacks(password) }, error, signIn);
  if (setup.data?.done === false) return <NotSetUp />;
  return (
    <DoorFrame title="Sign in" {...(ended ? { lead: ENDED } : {})}>
      <form className="stack" {...lacks.form}>
        <TextField label="E-mail" type="email" name="email" autoComplete="username" value={email} onValue={setEmail} error={lacks.said("email") ?? fieldError(error, "email")} required autoFocus />
        <TextField label="Password" type="password" name="password" autoComplete="current-password" value={password} onValue={setPassword} error={lacks.said("password")} required />
        <FormError text={formError(error, ["email"])} />
        <Button type="submit" tone="accent" disabled={busy}>
          {busy ? "Signing in" : "Sign in"}
        </Button>
      </form>
      <p className="faint small">
        Forgot the password? An admin of this server sets a new one with <code>switchboard user reset-password</code>.
      </p>
    </DoorFrame>
  );
}

/** Said where somebody was in the middle of something. */
const ENDED = "Your sign-in was ended: it ran out, you signed out elsewhere, or an admin ended your access. What you wrote is kept in this browser.";

/** Only paths of this app: an address from elsewhere is not followed. Pure. */
export function localPath(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])/.test(to) ? to : "/";
}

function NotSetUp() {
  return (
    <DoorFrame title="Not set up yet">
      <p>
        When the server starts it prints a one-time link, <code>{location.origin}/console/setup#token=…</code> Open that link to make the
        first account.
      </p>
      <p className="faint">Lost it? Start the server again: it prints a new one until somebody has set it up.</p>
    </DoorFrame>
  );
}
