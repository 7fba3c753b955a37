/** From where nobody comes in: neither visitors nor the team. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { BlockedAddress, NewBlockedAddress } from "@switchboard/protocol";

import { call, errorText, fieldError, formError, problemIn, takeAway } from "../api/http.ts";
import { blockedQuery } from "../api/query.ts";
import { team } from "../live/session.ts";
import { Button, FormError, TextField } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { useHere } from "../part/here.ts";
import { useLacks } from "../part/lack.ts";
import { useStore } from "../part/store.ts";
import { Ago } from "../part/time.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { Section } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

/** What is blocked; `offered` is what another part of the page wants to block, asked for until `onOffered`. */
export function BlockedAddresses({ offered, onOffered }: { offered: string | null; onOffered: () => void }) {
  const found = useQuery(blockedQuery);
  const cache = useQueryClient();
  const [adding, setAdding] = useState(false);
  const agents = useStore(team, (held) => held.agents);
  if (!found.data) return <NotLoaded query={found} />;
  async function unblock(blocked: BlockedAddress) {
    try {
      const was_there = await takeAway(`blocked-addresses/${blocked.id}`);
      if (was_there) toast(`${blocked.network} may come in again`, () => void again(blocked));
    } catch (error) {
      toastError(errorText(error));
    }
    await cache.invalidateQueries({ queryKey: ["blocked_addresses"] });
  }
  async function again({ network, reason }: BlockedAddress) {
    try {
      await call("blocked-addresses", { method: "POST", body: { network, reason } satisfies NewBlockedAddress });
    } catch (error) {
      toastError(errorText(error));
    }
    await cache.invalidateQueries({ queryKey: ["blocked_addresses"] });
  }
  return (
    <Section title="Blocked addresses" hint="Nobody chats, signs in or uses a key from there. Who is connected is sent away within two seconds.">
      <ul className="rows">
        {found.data.map((blocked) => (
          <li key={blocked.id}>
            <span className="grow">
              <b className="cut">
                <bdi>{blocked.network}</bdi>
              </b>
              <span className="faint small cut">
                {blocked.reason && (
                  <>
                    <bdi>{blocked.reason}</bdi> ·{" "}
                  </>
                )}
                {(blocked.agent_id && agents.get(blocked.agent_id)?.name) ?? "A program"}, <Ago at_ms={blocked.created_at_ms} words="ago" />
              </span>
            </span>
            <Button size="small" onClick={() => void unblock(blocked)} aria-label={`Let in again: ${blocked.network}`}>
              Let in again
            </Button>
          </li>
        ))}
        {found.data.length === 0 && <li className="faint">Nothing is blocked. A single visitor is blocked in the conversation, behind its three dots.</li>}
      </ul>
      <div>
        <Button icon="plus" onClick={() => setAdding(true)}>
          Block an address
        </Button>
      </div>
      {(adding || offered !== null) && (
        <Block
          network={offered ?? ""}
          onClose={() => {
            setAdding(false);
            onOffered();
          }}
        />
      )}
    </Section>
  );
}

function Block({ network: offered, onClose }: { network: string; onClose: () => void }) {
  const [network, setNetwork] = useState(offered);
  const [reason, setReason] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const cache = useQueryClient();
  const isHere = useHere();
  // The server knows better than this page from where it is asked.
  const locks_me_out = problemIn(error)?.field === "including_me";
  async function block() {
    setBusy(true);
    setError(null);
    try {
      const body: NewBlockedAddress = { network: network.trim(), reason: reason.trim(), ...(locks_me_out ? { including_me: true } : {}) };
      await call("blocked-addresses", { method: "POST", body });
      toast(`${network.trim()} is blocked`);
      if (isHere()) onClose();
    } catch (refused) {
      if (!isHere()) toastError(errorText(refused));
      setError(refused);
    } finally {
      setBusy(false);
    }
    void cache.invalidateQueries({ queryKey: ["blocked_addresses"] });
  }
  const lacks = useLacks<"network">(network.trim() === "" ? { network: "Write an address, or a network." } : {}, error, block);
  return (
    <Dialog title="Block an address" open onClose={onClose}>
      <form className="stack" {...lacks.form}>
        <TextField
          label="Address or network"
          hint="203.0.113.7, 203.0.113.0/24, 2001:db8::/32"
          value={network}
          onValue={(value) => {
            setNetwork(value);
            setError(null);
          }}
          error={problemIn(error)?.code === "invalid" && !locks_me_out ? "This is no address and no network." : (lacks.said("network") ?? fieldError(error, "network"))}
          autoComplete="off"
          autoFocus
          required
        />
        <TextField label="Reason" hint="For the team. May be left out." value={reason} onValue={setReason} error={fieldError(error, "reason")} />
        {locks_me_out && (
          <p className="field-error" role="alert">
            Your own address belongs to it: you would be locked out of this workspace until somebody else lets it in again.
          </p>
        )}
        <FormError text={formError(error, ["network", "reason", "including_me"])} />
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone={locks_me_out ? "risk" : "accent"} disabled={busy}>
            {locks_me_out ? "Lock me out as well" : "Block"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
