/** Secrets of a site: shown once, rotated with an overlap. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import type { SecretKind, SiteSecret } from "@switchboard/protocol";

import { call, errorText, takeAway } from "../api/http.ts";
import { secretsQuery } from "../api/query.ts";
import { now } from "../part/clock.ts";
import { Button } from "../part/control.tsx";
import { CopyField } from "../part/copy.tsx";
import { Dialog } from "../part/dialog.tsx";
import { Ago, soonText } from "../part/time.tsx";

const KINDS: Record<SecretKind, { name: string; place: string }> = {
  identity: { name: "Identity", place: "Put it where your server signs who its customers are." },
  webhook: { name: "Webhook", place: "Put it where your server checks what we send to it." },
};

/** The secrets of one site. */
export function Secrets({ site_id }: { site_id: string }) {
  const found = useQuery(secretsQuery(site_id));
  const cache = useQueryClient();
  const [made, setMade] = useState<SiteSecret | null>(null);
  const [error, setError] = useState<unknown>(null);
  const is_under_way = useRef(false);
  async function act(what: () => Promise<SiteSecret | undefined>) {
    // Pressed twice on a slow line, one is made: the other would take the place of the one that is being copied.
    if (is_under_way.current) return;
    is_under_way.current = true;
    setError(null);
    try {
      setMade((await what()) ?? null);
      void cache.invalidateQueries({ queryKey: ["secrets", site_id] });
    } catch (reason) {
      setError(reason);
    } finally {
      is_under_way.current = false;
    }
  }
  return (
    <div className="stack">
      <Dialog title="Store the new secret" open={made?.secret != null} keeps onClose={() => setMade(null)}>
        <ShownOnce name="The new secret" secret={made?.secret ?? ""} onDone={() => setMade(null)}>
          {made ? KINDS[made.kind].place : ""}
        </ShownOnce>
      </Dialog>
      <ul className="rows">
        {found.data?.map((secret) => (
          <li key={secret.id}>
            <code>…{secret.hint}</code>
            <span className="grow faint small">
              {KINDS[secret.kind].name},{" "}
              <span>
                made <Ago at_ms={secret.created_at_ms} words="ago" />
                {secret.expires_at_ms != null && <>, works until {soonText(secret.expires_at_ms, now())}</>}
              </span>
            </span>
            {secret.expires_at_ms != null && (
              <Button size="small" tone="risk" onClick={() => void act(() => takeAway(`sites/${site_id}/secrets/${secret.id}`).then(() => undefined))}>
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
      <div className="line wrap">
        {(["identity", "webhook"] as const).map((kind) => (
          <Button key={kind} icon="key" onClick={() => void act(() => call<SiteSecret>(`sites/${site_id}/secrets?kind=${kind}`, { method: "POST" }))}>
            Rotate the {kind} secret
          </Button>
        ))}
      </div>
    </div>
  );
}

/** What is shown this once, with the one way to go on. Stands in a window that keeps. */
export function ShownOnce({ name, secret, done = "I have stored it", children, onDone }: { name: string; secret: string; done?: string; children?: ReactNode; onDone: () => void }) {
  return (
    <>
      <p>
        {children} It is shown this once: nobody can read it again, not even the server.
      </p>
      <CopyField name={name} text={secret}>
        <Button tone="accent" onClick={onDone}>
          {done}
        </Button>
      </CopyField>
    </>
  );
}
