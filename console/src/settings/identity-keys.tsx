/** Public keys of a site: they check what its own server signs with the private half, which stays there. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { IdentityKey, NewIdentityKey } from "@switchboard/protocol";

import { call, errorText, fieldError, takeAway } from "../api/http.ts";
import { identityKeysQuery } from "../api/query.ts";
import { now } from "../part/clock.ts";
import { Button, Field } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { useHere } from "../part/here.ts";
import { useLacks, type Lacks } from "../part/lack.ts";
import { toastError } from "../part/toast.tsx";
import { Ago, soonText } from "../part/time.tsx";
import { isPrivate } from "./public-key.ts";

/** The public keys of one site. */
export function IdentityKeys({ site_id }: { site_id: string }) {
  const found = useQuery(identityKeysQuery(site_id));
  const cache = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [error, setError] = useState<unknown>(null);
  async function remove(key: IdentityKey) {
    setError(null);
    try {
      await takeAway(`sites/${site_id}/identity-keys/${key.id}`);
      await cache.invalidateQueries({ queryKey: ["identity-keys", site_id] });
    } catch (reason) {
      setError(reason);
    }
  }
  return (
    <div className="stack">
      <ul className="rows">
        {found.data?.map((key) => (
          <li key={key.id}>
            <code title={`SHA-256 ${key.fingerprint}`}>{key.fingerprint.slice(0, 16)}…</code>
            <span className="grow faint small">
              added <Ago at_ms={key.created_at_ms} words="ago" />
              {key.expires_at_ms != null && <>, works until {soonText(key.expires_at_ms, now())}</>}
            </span>
            <Button size="small" tone="risk" onClick={() => void remove(key)}>
              Remove now
            </Button>
          </li>
        ))}
        {found.data?.length === 0 && <li className="faint">No public key. Tokens are signed with a secret.</li>}
      </ul>
      {(error !== null || found.isError) && (
        <p className="field-error" role="alert">
          {errorText(error ?? found.error)}
        </p>
      )}
      <div>
        <Button icon="plus" onClick={() => setAdding(true)}>
          Add a public key
        </Button>
      </div>
      {adding && <AddKey site_id={site_id} has_others={(found.data?.length ?? 0) > 0} onClose={() => setAdding(false)} />}
    </div>
  );
}

function AddKey({ site_id, has_others, onClose }: { site_id: string; has_others: boolean; onClose: () => void }) {
  const [text, setText] = useState("");
  const [replace, setReplace] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const cache = useQueryClient();
  const isHere = useHere();
  async function add() {
    setError(null);
    try {
      const body: NewIdentityKey = { public_key: text.trim(), replace };
      await call<IdentityKey>(`sites/${site_id}/identity-keys`, { method: "POST", body });
      await cache.invalidateQueries({ queryKey: ["identity-keys", site_id] });
      if (isHere()) onClose();
    } catch (reason) {
      if (!isHere()) toastError(errorText(reason));
      setError(reason);
    }
  }
  const is_private = isPrivate(text);
  const wrong = is_private ? "This is a private key. It stays on your server: paste its public half." : fieldError(error, "public_key");
  const missing: Lacks<"key"> = is_private ? { key: "" } : text.trim() === "" ? { key: "Paste the public key." } : {};
  const lacks = useLacks(missing, error, add);
  return (
    <Dialog title="Add a public key" open onClose={onClose}>
      <form className="stack" {...lacks.form}>
        <Field label="Public key" hint="Of the curve P-256, as PEM or as a JSON Web Key." error={wrong ?? lacks.said("key")}>
          {(props) => (
            <textarea
              {...props}
              className="input mono"
              rows={6}
              spellCheck={false}
              autoCapitalize="off"
              autoComplete="off"
              placeholder={"-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----"}
              value={text}
              onChange={(event) => setText(event.target.value)}
              required
              autoFocus
            />
          )}
        </Field>
        {has_others && (
          <fieldset className="checks">
            <legend>The keys of before</legend>
            <label>
              <input type="checkbox" checked={replace} onChange={(event) => setReplace(event.target.checked)} />
              <span>stop after 24 hours</span>
            </label>
          </fieldset>
        )}
        {error !== null && !wrong && (
          <p className="field-error" role="alert">
            {errorText(error)}
          </p>
        )}
        <div className="line wrap">
          <Button type="submit" tone="accent">
            Add the key
          </Button>
          <Button tone="plain" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
