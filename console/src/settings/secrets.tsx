/** Secrets of a site: shown once, rotated with an overlap. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { SiteSecret } from "@switchboard/protocol";

import { call, errorText } from "../api/http.ts";
import { secretsQuery } from "../api/query.ts";
import { now } from "../part/clock.ts";
import { Button, CopyButton } from "../part/control.tsx";
import { Ago, soonText } from "../part/time.tsx";

/** The secrets of one site. */
export function Secrets({ site_id }: { site_id: string }) {
  const found = useQuery(secretsQuery(site_id));
  const cache = useQueryClient();
  const [made, setMade] = useState<SiteSecret | null>(null);
  const [error, setError] = useState<unknown>(null);
  async function act(what: () => Promise<SiteSecret | undefined>) {
    setError(null);
    try {
      setMade((await what()) ?? null);
      await cache.invalidateQueries({ queryKey: ["secrets", site_id] });
    } catch (reason) {
      setError(reason);
    }
  }
  return (
    <div className="stack">
      {made?.secret && <ShownOnce name="The new secret" secret={made.secret} onDone={() => setMade(null)} />}
      <ul className="rows">
        {found.data?.map((secret) => (
          <li key={secret.id}>
            <code>…{secret.hint}</code>
            <span className="grow faint small">
              <span>
                made <Ago at_ms={secret.created_at_ms} words="ago" />
                {secret.expires_at_ms != null && <>, works until {soonText(secret.expires_at_ms, now())}</>}
              </span>
            </span>
            {secret.expires_at_ms != null && (
              <Button size="small" tone="risk" onClick={() => void act(() => call(`sites/${site_id}/secrets/${secret.id}`, { method: "DELETE" }))}>
                End it now
              </Button>
            )}
          </li>
        ))}
        {found.data?.length === 0 && <li className="faint">No secret yet.</li>}
      </ul>
      {(error !== null || found.isError) && (
        <p className="field-error" role="alert">
          {errorText(error ?? found.error)}
        </p>
      )}
      <div>
        <Button icon="key" onClick={() => void act(() => call<SiteSecret>(`sites/${site_id}/secrets`, { method: "POST" }))}>
          {found.data?.length ? "Rotate the secret" : "Make a secret"}
        </Button>
      </div>
    </div>
  );
}

/** A secret that is shown this once. */
export function ShownOnce({ name, secret, onDone }: { name: string; secret: string; onDone: () => void }) {
  return (
    <div className="notice shown-once" role="status">
      <div className="grow stack">
        <b>{name} is shown this once. Copy it now.</b>
        <code className="secret">{secret}</code>
        <div className="line">
          <CopyButton text={secret} size="small" />
          <Button size="small" tone="plain" onClick={onDone}>
            I have it
          </Button>
        </div>
      </div>
    </div>
  );
}
