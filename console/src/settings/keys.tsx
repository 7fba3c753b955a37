/** API keys: for programs, shown once, revoked at once. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import type { ApiKey, NewApiKey, Permission } from "@switchboard/protocol";

import { call, fieldError, formError, takeAway } from "../api/http.ts";
import { keysQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { now } from "../part/clock.ts";
import { Button, Field, FormError, TextField } from "../part/control.tsx";
import { ConfirmByTyping, Dialog } from "../part/dialog.tsx";
import { useLacks, type Lacks } from "../part/lack.ts";
import { Ago, soonText } from "../part/time.tsx";
import { PageHead } from "./page.tsx";
import { RIGHTS } from "./right.ts";
import { ShownOnce } from "./secrets.tsx";
import { NotLoaded } from "./state.tsx";

/** How long a key lasts, in days. */
const LIVES: readonly [number | null, string][] = [
  [null, "Until it is revoked"],
  [7, "7 days"],
  [30, "30 days"],
  [90, "90 days"],
  [365, "A year"],
];

const DAY_MS = 24 * 60 * 60 * 1000;

/** The page of keys. */
export function KeysPage() {
  const found = useQuery(keysQuery);
  const cache = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  if (!found.data) return <NotLoaded query={found} whole />;
  return (
    <div className="page">
      <PageHead title="API keys">
        For programs. What they may ask is written down at <a href="/api/docs/" target="_blank" rel="noopener">/api/docs/</a>.
      </PageHead>
      <ul className="rows">
        {found.data.map((key) => (
          <li key={key.id}>
            <span className="grow">
              <b className="cut">{key.name}</b>
              <span className="faint small cut">
                <code>{key.hint}…</code> · {key.scopes.join(", ")} · {key.used_at_ms != null ? <>used <Ago at_ms={key.used_at_ms} words="ago" /></> : "never used"}
                {key.expires_at_ms != null && (key.expires_at_ms > now() ? ` · until ${soonText(key.expires_at_ms, now())}` : " · expired")}
              </span>
            </span>
            <Button size="small" tone="risk" onClick={() => setRevoking(key)}>
              Revoke
            </Button>
          </li>
        ))}
        {found.data.length === 0 && <li className="faint">No keys. A program needs one to read conversations or to answer.</li>}
      </ul>
      <div>
        <Button icon="plus" tone="accent" onClick={() => setAdding(true)}>
          Make a key
        </Button>
      </div>
      <AddKey open={adding} onClose={() => setAdding(false)} />
      {revoking && (
        <ConfirmByTyping
          title={`Revoke ${revoking.name}?`}
          word="revoke"
          action="Revoke"
          open
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            await takeAway(`keys/${revoking.id}`);
            await cache.invalidateQueries({ queryKey: ["keys"] });
          }}
        >
          <p>Programs that use it are refused from now on. This cannot be undone.</p>
        </ConfirmByTyping>
      )}
    </div>
  );
}

/** Of a new key. Pure. */
function keyLacks(name: string, scopes: readonly Permission[]): Lacks<"name" | "scopes"> {
  return {
    ...(name.trim() === "" ? { name: "Write what it is for." } : {}),
    ...(scopes.length === 0 ? { scopes: "Mark at least one thing that it may do." } : {}),
  };
}

function AddKey({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Permission[]>(["conversations.read"]);
  const [days, setDays] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [made, setMade] = useState<ApiKey | null>(null);
  const may = useMay();
  const cache = useQueryClient();
  async function add() {
    setError(null);
    try {
      const body: NewApiKey = { name: name.trim(), scopes: [...scopes], ...(days === null ? {} : { expires_at_ms: now() + days * DAY_MS }) };
      setMade(await call<ApiKey>("keys", { method: "POST", body }));
      void cache.invalidateQueries({ queryKey: ["keys"] });
    } catch (reason) {
      setError(reason);
    }
  }
  const lacks = useLacks(keyLacks(name, scopes), error, add);
  const unmarked = lacks.said("scopes");
  const unmarked_id = useId();
  function done() {
    setName("");
    lacks.clear();
    setMade(null);
    setError(null);
    onClose();
  }
  return (
    <Dialog title={made ? "Store the key" : "Make a key"} open={open} keeps={made !== null} onClose={done}>
      {made?.key ? (
        <ShownOnce name="The key" secret={made.key} onDone={done}>
          Whoever holds it may do what was marked for <b>{made.name}</b>.
        </ShownOnce>
      ) : (
        <form className="stack" {...lacks.form}>
          <TextField label="What it is for" value={name} onValue={setName} error={lacks.said("name") ?? fieldError(error, "name")} required autoFocus />
          <fieldset className="checks">
            <legend>It may</legend>
            {RIGHTS.filter(([scope]) => may(scope)).map(([scope, words], index) => (
              <label key={scope}>
                <input
                  type="checkbox"
                  aria-invalid={index === 0 && unmarked ? true : undefined}
                  aria-describedby={unmarked ? unmarked_id : undefined}
                  checked={scopes.includes(scope)}
                  onChange={(event) => setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((each) => each !== scope))}
                />
                {words} <code className="faint small">{scope}</code>
              </label>
            ))}
            {unmarked && (
              <p className="field-error" id={unmarked_id} role="alert">
                {unmarked}
              </p>
            )}
          </fieldset>
          <Field label="It lasts" error={fieldError(error, "expires_at_ms")}>
            {(props) => (
              <select {...props} className="input" value={days ?? ""} onChange={(event) => setDays(event.target.value === "" ? null : Number(event.target.value))}>
                {LIVES.map(([each, words]) => (
                  <option key={words} value={each ?? ""}>
                    {words}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <FormError text={formError(error, ["name", "expires_at_ms"])} />
          <div className="dialog-foot">
            <Button onClick={done}>Cancel</Button>
            <Button type="submit" tone="accent">
              Make it
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
