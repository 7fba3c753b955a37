/** My own sign-in: the password, and the browsers I am signed in with. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { call, errorText, fieldError, formError, takeAway } from "../api/http.ts";
import { sessionsQuery } from "../api/query.ts";
import { newPasswordLacks } from "../door/lack.ts";
import { Button, FormError, TextField } from "../part/control.tsx";
import { useLacks, type Lacks } from "../part/lack.ts";
import { Lamp } from "../part/lamp.tsx";
import { Ago } from "../part/time.tsx";
import { countryName } from "../side/visit.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { useUnsaved } from "../part/unsaved.ts";
import { browserName } from "./browser.ts";
import { Section } from "./page.tsx";

/** Changes the password; all other browsers are signed out. */
export function PasswordForm() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const cache = useQueryClient();
  useUnsaved("The new password, which is not saved yet", () => (current !== "" || next !== "") && "lost");
  async function save() {
    setBusy(true);
    setError(null);
    try {
      await call("password", { method: "POST", body: { current, new: next } });
      setCurrent("");
      setNext("");
      lacks.clear();
      toast("Your password was changed");
      void cache.invalidateQueries({ queryKey: ["sessions"] });
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  }
  const lacks = useLacks(ownPasswordLacks(current, next), error, save);
  return (
    <Section title="Password">
      <form className="stack" {...lacks.form}>
        <TextField label="Present password" type="password" autoComplete="current-password" value={current} onValue={setCurrent} error={lacks.said("current") ?? fieldError(error, "current")} required />
        <TextField label="New password" type="password" autoComplete="new-password" hint="At least 12 characters." value={next} onValue={setNext} error={lacks.said("next") ?? fieldError(error, "new") ?? fieldError(error, "password")} required />
        <FormError text={formError(error, ["current", "new", "password"])} />
        <div>
          <Button type="submit" disabled={busy}>
            Change the password
          </Button>
        </div>
      </form>
    </Section>
  );
}

/** Of the present password and the one to come. Pure. */
function ownPasswordLacks(current: string, next: string): Lacks<"current" | "next"> {
  const { password } = newPasswordLacks(next);
  return { ...(current === "" ? { current: "Write your present password." } : {}), ...(password === undefined ? {} : { next: password }) };
}

/** Where I am signed in, and the way to end it. */
export function Sessions() {
  const found = useQuery(sessionsQuery);
  const cache = useQueryClient();
  return (
    <Section title="Signed in" hint="Ending one closes its live connections within two seconds.">
      {found.isError && <p className="field-error">{errorText(found.error)}</p>}
      <ul className="rows">
        {found.data?.map((session) => (
          <li key={session.id}>
            <Lamp state={session.current ? "live" : "quiet"} name={session.current ? "This browser" : "Another browser"} />
            <span className="grow">
              <b className="cut">{browserName(session.user_agent)}{session.current ? ", this one" : ""}</b>
              <span className="faint small cut">
                {session.address}
                {session.country ? `, ${countryName(session.country)}` : ""} · signed in <Ago at_ms={session.created_at_ms} words="ago" />
                , seen <Ago at_ms={session.seen_at_ms} words="ago" />
              </span>
            </span>
            {!session.current && (
              <Button
                size="small"
                tone="risk"
                onClick={() =>
                  void takeAway(`sessions/${session.id}`)
                    .catch((error: unknown) => toastError(errorText(error)))
                    .finally(() => void cache.invalidateQueries({ queryKey: ["sessions"] }))
                }
              >
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
      {(found.data?.length ?? 0) > 1 && (
        <div>
          <Button
            onClick={() =>
              void call("sessions", { method: "DELETE" })
                .then(() => toast("All other browsers were signed out"))
                .catch((error: unknown) => toastError(errorText(error)))
                .finally(() => void cache.invalidateQueries({ queryKey: ["sessions"] }))
            }
          >
            Sign out everywhere else
          </Button>
        </div>
      )}
    </Section>
  );
}
