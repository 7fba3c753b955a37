/** Set-up in three steps: account, workspace and site, then the snippet with a live check. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Setup, SetupDone, SetupState, Site } from "@switchboard/protocol";

import { call, errorText, fieldError, formError, Refused } from "../api/http.ts";
import { meQuery, queries } from "../api/query.ts";
import { beginSession, membership, visitors } from "../live/session.ts";
import { chosenMembership } from "../live/workspace.ts";
import { Button, FormError, TextField } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { Lamp } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { LOOPBACK, originsOf } from "../settings/origin.ts";
import { OriginsField } from "../settings/origins.tsx";
import { Snippet } from "../settings/snippet.tsx";
import { DoorFrame, linkToken } from "./frame.tsx";
import { useLacks, type Lacks } from "../part/lack.ts";
import { accountLacks, PASSWORD_LENGTH_MIN } from "./lack.ts";

interface Form {
  name: string;
  email: string;
  password: string;
  workspace_name: string;
  origins: string;
}

const STEPS = ["Account", "Workspace", "Widget"] as const;
const ACCOUNT_FIELDS = ["name", "email", "password"] as const;

/** The wizard. */
export function SetupPage() {
  const [step, setStep] = useState(0);
  const [form, setForm] = useState<Form>({ name: "", email: "", password: "", workspace_name: "", origins: "loopback" });
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [site, setSite] = useState<Site | null>(null);
  const navigate = useNavigate();
  const state = useQuery({ queryKey: ["setup"], queryFn: ({ signal }) => call<SetupState>("setup", { signal }), staleTime: Infinity });
  const token = linkToken();
  if (site) return <Embed site={site} onDone={() => void navigate({ to: "/inbox/$list", params: { list: "all" } })} />;
  if (state.data?.done) return <Already />;
  if (token === "") return <NoToken />;
  const change = (next: Partial<Form>) => setForm({ ...form, ...next });
  async function finish() {
    setBusy(true);
    setError(null);
    try {
      const body: Setup = {
        token,
        name: form.name.trim(),
        email: form.email.trim(),
        password: form.password,
        workspace_name: form.workspace_name.trim(),
        time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        site: { name: form.workspace_name.trim(), allowed_origins: originsOf(form.origins).good },
      };
      const done = await call<SetupDone>("setup", { method: "POST", body });
      const me = await queries.fetchQuery({ ...meQuery, staleTime: 0 });
      const member = chosenMembership(me, done.workspace_id);
      if (member) beginSession(member);
      setSite(done.site);
    } catch (reason) {
      setError(reason);
      // A field of the first step is mended there.
      if (ACCOUNT_FIELDS.some((field) => fieldError(reason, field)) || isWeakPassword(reason)) setStep(0);
    } finally {
      setBusy(false);
    }
  }
  return (
    <DoorFrame title={step === 0 ? "Set up Switchboard" : "Your workspace"} lead={step === 0 ? "You become the owner. This link works once." : "One workspace for the team; more sites can follow."}>
      <Steps at={step} />
      {step === 0 ? (
        <AccountStep form={form} change={change} error={error} onNext={() => setStep(1)} />
      ) : (
        <WorkspaceStep form={form} change={change} error={error} busy={busy} onBack={() => setStep(0)} onNext={finish} />
      )}
    </DoorFrame>
  );
}

function isWeakPassword(error: unknown): boolean {
  return error instanceof Refused && error.problem.code === "password_weak";
}

/** Nobody is there to ask for another link: the server prints one. */
const USED_LINK = "This link was used, or a newer one was printed. Nothing was changed; start the server again and open the link that it prints.";

function isUsedLink(error: unknown): boolean {
  return error instanceof Refused && error.problem.code === "link_invalid";
}

function Steps({ at }: { at: number }) {
  return (
    <ol className="steps" aria-label="Steps">
      {STEPS.map((name, index) => (
        <li key={name} aria-current={index === at ? "step" : undefined} data-done={index < at || undefined}>
          <span className="steps-mark" aria-hidden="true">
            {index < at ? <Icon name="check" size={12} /> : index + 1}
          </span>
          {name}
        </li>
      ))}
    </ol>
  );
}

interface StepProps {
  form: Form;
  change: (next: Partial<Form>) => void;
  error: unknown;
  onNext: () => Promise<void> | void;
}

function AccountStep({ form, change, error, onNext }: StepProps) {
  const lacks = useLacks(accountLacks(form), error, onNext);
  const weak = isWeakPassword(error) ? errorText(error) : null;
  const missing = lacks.said("password");
  const short = form.password.length > 0 && form.password.length < PASSWORD_LENGTH_MIN;
  return (
    <form className="stack" {...lacks.form}>
      <TextField label="Your name" autoComplete="name" hint="Visitors see it when you answer." value={form.name} onValue={(name) => change({ name })} error={lacks.said("name") ?? fieldError(error, "name")} required autoFocus />
      <TextField label="E-mail" type="email" autoComplete="username" value={form.email} onValue={(email) => change({ email })} error={lacks.said("email") ?? fieldError(error, "email")} required />
      <TextField
        label="Password"
        type="password"
        autoComplete="new-password"
        hint={short && missing === null ? `${PASSWORD_LENGTH_MIN - form.password.length} more characters` : `At least ${PASSWORD_LENGTH_MIN} characters. A few words in a row are easy to keep in mind.`}
        value={form.password}
        onValue={(password) => change({ password })}
        error={missing ?? fieldError(error, "password") ?? weak}
        required
      />
      <Button type="submit" tone="accent">
        Next
      </Button>
    </form>
  );
}

/** The button leads to addresses that are none, too; their own field says so at once. */
function workspaceLacks(form: Form): Lacks<"workspace_name" | "origins"> {
  return {
    ...(form.workspace_name.trim() === "" ? { workspace_name: "Write what the business is called." } : {}),
    ...(originsOf(form.origins).bad.length > 0 ? { origins: "" } : {}),
  };
}

function WorkspaceStep({ form, change, error, busy, onBack, onNext }: StepProps & { busy: boolean; onBack: () => void }) {
  const lacks = useLacks(workspaceLacks(form), error, onNext);
  return (
    <form className="stack" {...lacks.form}>
      <TextField label="Name of the business" autoComplete="organization" value={form.workspace_name} onValue={(workspace_name) => change({ workspace_name })} error={lacks.said("workspace_name") ?? fieldError(error, "workspace_name")} required autoFocus />
      <OriginsField value={form.origins} onValue={(value) => change({ origins: value })} error={fieldError(error, "site") ?? fieldError(error, "allowed_origins")} />
      <FormError text={isUsedLink(error) ? USED_LINK : formError(error, ["workspace_name", "site", "allowed_origins"])} />
      <div className="line">
        <Button onClick={onBack}>Back</Button>
        <Button type="submit" tone="accent" className="grow" disabled={busy}>
          {busy ? "Setting up" : "Set up"}
        </Button>
      </div>
    </form>
  );
}

/** The snippet, the test page, and a lamp that lights up when the first visitor is seen. */
function Embed({ site, onDone }: { site: Site; onDone: () => void }) {
  const seen = useStore(visitors, (held) => (held.counts?.active ?? 0) + (held.counts?.idle ?? 0) > 0);
  const page = useStore(visitors, (held) => [...held.rows.values()][0]?.page);
  const member = useStore(membership);
  useEffect(() => {
    document.title = "Switchboard";
  }, []);
  return (
    <DoorFrame title={`Welcome, ${member?.name ?? "you are in"}`} lead="One tag puts the widget on a page." wide>
      <Steps at={2} />
      <Snippet site_id={site.id} />
      {site.allowed_origins.every((origin) => origin === LOOPBACK) && (
        <p className="faint">
          So far only pages of this machine may load it. Add your website’s origin in <a href={`/console/settings/sites?site=${site.id}`}>the site’s settings</a> before you put the tag there.
        </p>
      )}
      <div className="seen" role="status">
        <Lamp state={seen ? "live" : "quiet"} />
        <div className="grow">
          {seen ? (
            <>
              <b>Visitor seen.</b> <span className="faint">{page ? `On ${page.title || page.url}.` : ""} The widget works.</span>
            </>
          ) : (
            <>
              <b>Waiting for the first visitor.</b> <span className="faint">Open a page with the tag, or the test page.</span>
            </>
          )}
        </div>
        <a className="button" href="/demo/" target="_blank" rel="noopener">
          <Icon name="open" /> Open the test page
        </a>
      </div>
      <Button tone="accent" onClick={onDone}>
        Go to the inbox
      </Button>
    </DoorFrame>
  );
}

function NoToken() {
  return (
    <DoorFrame title="Open the link that the server printed">
      <p>
        Set-up needs the one-time link from the server’s output: <code>{location.origin}/console/setup#token=…</code>
      </p>
    </DoorFrame>
  );
}

function Already() {
  return (
    <DoorFrame title="Set up already">
      <p>This Switchboard has an owner. Go to the console to sign in, or ask an admin for an invitation.</p>
      <a className="button" href="/console/">
        Go to the console
      </a>
    </DoorFrame>
  );
}
