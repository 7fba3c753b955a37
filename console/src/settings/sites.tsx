/** Sites: installations of the widget, each with its origins, its look and its secrets. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { NewSite, Site, SiteChange, Theme } from "@switchboard/protocol";

import { call, errorText, fieldError, formError } from "../api/http.ts";
import { sitesQuery } from "../api/query.ts";
import { Button, Field, FormError, Switch, TextField } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { Icon } from "../part/icon.tsx";
import { useLacks } from "../part/lack.ts";
import { Lamp } from "../part/lamp.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { useHeld } from "./held.ts";
import { IdentityKeys } from "./identity-keys.tsx";
import { isColor, Look } from "./look.tsx";
import { originsOf } from "./origin.ts";
import { OriginsField } from "./origins.tsx";
import { Overrides } from "./overrides.tsx";
import { PageHead, Section } from "./page.tsx";
import { isWhole } from "./question.ts";
import { Secrets } from "./secrets.tsx";
import { useSaving } from "./save.ts";
import { Saved, SavingLines } from "./saved.tsx";
import { SeenLine } from "./seen.tsx";
import { Snippet } from "./snippet.tsx";
import { NotLoaded } from "./state.tsx";

const KEY = ["sites"];

/** All sites, or the one that is open. */
export function SitesPage() {
  const found = useQuery(sitesQuery);
  const open_id = useSearch({ strict: false }).site;
  const [adding, setAdding] = useState(false);
  const navigate = useNavigate();
  if (!found.data) return <NotLoaded query={found} whole />;
  const open = found.data.find((site) => site.id === open_id);
  if (open) return <SiteForm key={open.id} site={open} />;
  const sites = [...found.data].sort((a, b) => Number(a.archived) - Number(b.archived) || a.created_at_ms - b.created_at_ms);
  return (
    <div className="page">
      <PageHead title="Sites">Each site has its own key, its own allowed origins and its own look. Conversations of all sites meet in one inbox.</PageHead>
      <ul className="cards">
        {sites.map((site) => (
          <li key={site.id}>
            <Link to="/settings/$page" params={{ page: "sites" }} search={{ site: site.id }} className="card">
              <Lamp state={site.archived ? "quiet" : "live"} name={site.archived ? "Archived" : "In use"} />
              <span className="grow">
                <b className="cut">{site.name}</b>
                <span className="faint small cut">
                  {site.archived ? "Archived" : site.allowed_origins.length === 1 ? site.allowed_origins[0] : `${site.allowed_origins.length} allowed origins`}
                </span>
              </span>
              <code className="small faint cut site-key">{site.id}</code>
            </Link>
          </li>
        ))}
      </ul>
      <div>
        <Button icon="plus" tone="accent" onClick={() => setAdding(true)}>
          Add a site
        </Button>
      </div>
      <AddSite open={adding} onClose={() => setAdding(false)} onAdded={(site) => void navigate({ to: "/settings/$page", params: { page: "sites" }, search: { site: site.id } })} />
    </div>
  );
}

function AddSite({ open, onClose, onAdded }: { open: boolean; onClose: () => void; onAdded: (site: Site) => void }) {
  const [name, setName] = useState("");
  const [origins, setOrigins] = useState("");
  const [error, setError] = useState<unknown>(null);
  const cache = useQueryClient();
  const allowed = originsOf(origins);
  const closings = useRef(0);
  async function add() {
    const before = closings.current;
    // On a slow line one may have closed it, and be elsewhere by then.
    const isHere = () => closings.current === before;
    try {
      const body: NewSite = { name: name.trim(), allowed_origins: allowed.good };
      const site = await call<Site>("sites", { method: "POST", body });
      await cache.invalidateQueries({ queryKey: KEY });
      if (isHere()) {
        onClose();
        onAdded(site);
      } else {
        toast(`${site.name} was added`);
      }
    } catch (reason) {
      if (isHere()) setError(reason);
      else toastError(errorText(reason));
    }
  }
  const lacks = useLacks<"name" | "origins">(
    {
      ...(name.trim() === "" ? { name: "Write what the site is called." } : {}),
      ...(allowed.bad.length > 0 ? { origins: "" } : allowed.good.length === 0 ? { origins: "Write where its pages are, like https://www.example.com." } : {}),
    },
    error,
    add,
  );
  function close() {
    closings.current += 1;
    lacks.clear();
    onClose();
  }
  return (
    <Dialog title="Add a site" open={open} onClose={close}>
      <form className="stack" {...lacks.form}>
        <TextField label="Name" value={name} onValue={setName} error={lacks.said("name") ?? fieldError(error, "name")} required autoFocus />
        <OriginsField value={origins} onValue={setOrigins} error={lacks.said("origins") ?? fieldError(error, "allowed_origins")} />
        <FormError text={formError(error, ["name", "allowed_origins"])} />
        <div className="dialog-foot">
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" tone="accent">
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function SiteForm({ site: heard }: { site: Site }) {
  const { record: site, saving, change, store } = useSaving<Site, SiteChange>(`sites/${heard.id}`, KEY, heard);
  const [name, setName] = useHeld(site.name);
  const [origins, setOrigins] = useHeld(site.allowed_origins.join("\n"));
  const [domain, setDomain] = useHeld(site.domain);
  const [description, setDescription] = useHeld(site.description);
  const [theme, setTheme] = useHeld(site.theme);
  const [after_close, setAfterClose] = useHeld(site.after_close);
  const [identity_required, setIdentityRequired] = useHeld(site.identity_required);
  const look = (next: Partial<Theme>, pause: "soon" | "now" = "soon") => {
    const whole = { ...theme, ...next };
    setTheme(whole);
    // A color that is half typed holds nothing else up: the last whole one stands until then.
    const color = isColor(whole.color) ? whole.color : site.theme.color;
    // A question without words waits for them in the same way.
    change({ theme: { ...whole, color, questions: whole.questions.filter(isWhole) } }, pause, { theme: whole });
  };
  // Origins count once the field is left: half of one may be a stranger's, and none turns all visitors away.
  const allowed = originsOf(origins);
  const writeOrigins = (text: string) => {
    setOrigins(text);
    change({}, "soon", { allowed_origins: originsOf(text).good });
  };
  const keepOrigins = () => {
    if (allowed.bad.length > 0 || allowed.good.length === 0) return;
    setOrigins(allowed.good.join("\n"));
    if (allowed.good.join(" ") !== site.allowed_origins.join(" ")) change({ allowed_origins: allowed.good }, "now");
  };
  const closes = (after_close: Site["after_close"]) => {
    setAfterClose(after_close);
    change({ after_close }, "now");
  };
  return (
    <div className="page">
      <PageHead title={site.name} record_id={site.id}>
        <Link to="/settings/$page" params={{ page: "sites" }} search={{}}>
          All sites
        </Link>
        {" · "}Saved as you go. <Saved saving={saving} />
      </PageHead>
      <SavingLines saving={saving} />
      <Section title="Put it on your pages" hint="Anywhere in the head or body; it loads by itself and holds nothing up.">
        <Snippet site_id={site.id} />
        <SeenLine site={site} />
        <div>
          <a className="button" href={`/demo/?site=${site.id}`} target="_blank" rel="noopener">
            <Icon name="open" /> Try it on the test page
          </a>
        </div>
      </Section>
      <Section title="General">
        <TextField
          label="Name"
          value={name}
          error={name.trim() ? saving.errorAt("name") : "A site needs a name."}
          onValue={(value) => {
            setName(value);
            if (value.trim()) change({ name: value.trim() });
          }}
        />
        <TextField label="Domain" hint="For the team to read; the allowed origins say where the chat loads." value={domain} error={saving.errorAt("domain")} onValue={(value) => (setDomain(value), change({ domain: value.trim() }))} />
        <Field label="What it is for" error={saving.errorAt("description")}>
          {(props) => <textarea {...props} className="input" value={description} onChange={(event) => (setDescription(event.target.value), change({ description: event.target.value }))} />}
        </Field>
        <OriginsField
          value={origins}
          error={origins.trim() === "" ? "The widget would load nowhere. To turn it off, archive the site." : saving.errorAt("allowed_origins")}
          onValue={writeOrigins}
          onLeave={keepOrigins}
        />
      </Section>
      <Section title="Look">
        <Look theme={theme} site_name={name} errorAt={saving.errorAt} onChange={look} />
      </Section>
      <Section title="After the end" hint="What a customer's message does once a conversation is closed.">
        <Field label="A new message">
          {(props) => (
            <select {...props} className="input" value={after_close} onChange={(event) => closes(event.target.value === "reopen" ? "reopen" : "start_new")}>
              <option value="start_new">begins a new conversation</option>
              <option value="reopen">reopens the old one within {Math.max(1, Math.round(site.reopen_within_ms / 3_600_000))} h</option>
            </select>
          )}
        </Field>
      </Section>
      <Overrides site={site} change={change} />
      <Section title="Identity" hint="Your server signs who its customer is: with a secret that both sides know, or with a private key that never leaves it.">
        <Switch
          label="Require a signed identity"
          hint="Without one a visitor cannot write."
          checked={identity_required}
          onChange={(identity_required) => {
            setIdentityRequired(identity_required);
            change({ identity_required }, "now");
          }}
        />
      </Section>
      <Section title="Secrets" hint="Rotating makes a new one; the old ones work for 24 hours more.">
        <Secrets site_id={site.id} />
      </Section>
      <Section title="Public keys" hint="They check what your server signs with the private half (ES256).">
        <IdentityKeys site_id={site.id} />
      </Section>
      <Archive site={site} store={store} />
    </div>
  );
}

/** Takes the site out of use, or back into it; said once that is so. */
function Archive({ site, store }: { site: Site; store: (next: Partial<SiteChange>) => Promise<boolean> }) {
  async function set(archived: boolean) {
    if (await store({ archived })) toast(archived ? `${site.name} was archived` : `${site.name} is in use again`, () => void set(!archived), `site ${site.id}`);
  }
  return (
    <Section title={site.archived ? "Archived" : "Archive"} hint={site.archived ? "The widget no longer loads. Conversations stay." : "The widget stops loading on its pages. Conversations stay, and it can be taken back."}>
      <div>
        <Button tone={site.archived ? "accent" : "risk"} onClick={() => void set(!site.archived)}>
          {site.archived ? "Use it again" : "Archive this site"}
        </Button>
      </div>
    </Section>
  );
}
