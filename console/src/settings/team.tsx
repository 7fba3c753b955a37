/** The team: who is in it, as what, and who was invited. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { Agent, AgentChange, Invitation, NewInvitation, Role } from "@switchboard/protocol";

import { call, errorText, fieldError, formError, takeAway } from "../api/http.ts";
import { agentsQuery, invitationsQuery, refreshChanged, workspaceQuery } from "../api/query.ts";
import { emailLacks } from "../door/lack.ts";
import { useMay } from "../live/right.ts";
import { membership, team } from "../live/session.ts";
import { now } from "../part/clock.ts";
import { Button, Field, FormError, TextField } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { useLacks } from "../part/lack.ts";
import { Face, type LampState } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { soonText } from "../part/time.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { LastChange } from "./changed.tsx";
import { Grants } from "./grants.tsx";
import { PageHead, Section } from "./page.tsx";
import { ShownOnce } from "./secrets.tsx";
import { NotLoaded } from "./state.tsx";

const ROLES: Record<Role, string> = {
  owner: "Owner: everything",
  admin: "Admin: everything but owners and the danger zone",
  agent: "Agent: conversations, visitors, contacts",
};

const ROLE_NAMES: Record<Role, string> = { owner: "Owner", admin: "Admin", agent: "Agent" };

/** The page of the team. */
export function TeamPage() {
  const found = useQuery(agentsQuery);
  const [inviting, setInviting] = useState(false);
  useNewMembers();
  if (!found.data) return <NotLoaded query={found} whole />;
  const members = [...found.data].sort((a, b) => Number(a.deactivated) - Number(b.deactivated) || a.name.localeCompare(b.name));
  return (
    <div className="page">
      <PageHead title="Team">Who answers, and who may change things.</PageHead>
      <ul className="rows">
        {members.map((agent) => (
          <Member key={agent.id} agent={agent} />
        ))}
      </ul>
      <div>
        <Button icon="plus" tone="accent" onClick={() => setInviting(true)}>
          Invite somebody
        </Button>
      </div>
      <Invitations />
      <Invite open={inviting} onClose={() => setInviting(false)} />
    </div>
  );
}

/** The team is told live: who joined or was changed is read again, with the invitation that was used. */
function useNewMembers(): void {
  const told = useStore(team, (held) => held.agents);
  const before = useRef(told);
  useEffect(() => {
    if (before.current !== told) refreshChanged("team");
    before.current = told;
  }, [told]);
}

function Member({ agent }: { agent: Agent }) {
  const presence = useStore(team, (held) => held.presence.get(agent.id) ?? "offline");
  const me = useStore(membership, (member) => member?.agent_id);
  const cache = useQueryClient();
  const [isHanding, setHanding] = useState(false);
  const chosen = useRef(agent.role);
  const lamp: LampState = presence === "online" ? "live" : presence === "away" ? "away" : "quiet";
  // Changes go one after another, each on top of what the one before came to: the list may be read later than one clicks.
  const newest = useRef(agent.version);
  newest.current = Math.max(newest.current, agent.version);
  const before = useRef<Promise<unknown>>(Promise.resolve());
  function change(body: AgentChange): Promise<Agent | undefined> {
    const stored = before.current.then(() => send(body));
    before.current = stored;
    return stored;
  }
  async function send(body: AgentChange): Promise<Agent | undefined> {
    try {
      const stored = await call<Agent>(`agents/${agent.id}`, { method: "PATCH", body, version: newest.current });
      newest.current = stored.version;
      return stored;
    } catch (error) {
      toastError(errorText(error));
      return undefined;
    } finally {
      await cache.invalidateQueries({ queryKey: ["agents"] });
    }
  }
  async function deactivate(deactivated: boolean) {
    const stored = await change({ deactivated });
    if (!stored) return;
    toast(deactivated ? `${agent.name} was deactivated and signed out everywhere` : `${agent.name} is back`, () => void change({ deactivated: !deactivated }));
  }
  function choose(role: Role) {
    chosen.current = role;
    if (role === "owner") void chooseOwner();
    else void change({ role });
  }
  /** Where there is one owner only, one cannot take it back oneself: that is read anew, for it may not be known yet, or have changed. */
  async function chooseOwner() {
    try {
      const { settings } = await cache.fetchQuery({ ...workspaceQuery, staleTime: 0 });
      if (chosen.current !== "owner") return;
      if (settings.single_owner) setHanding(true);
      else void change({ role: "owner" });
    } catch (error) {
      toastError(errorText(error));
    }
  }
  const may = useMay();
  const roles: Role[] = may("owner") ? ["owner", "admin", "agent"] : ["admin", "agent"];
  const fixed = agent.deactivated || (agent.role === "owner" && !may("owner"));
  return (
    <li data-off={agent.deactivated || undefined}>
      <Face name={agent.name} seed={agent.id} {...(agent.deactivated ? {} : { lamp, lampName: presence })} />
      <span className="grow member-name">
        <b className="cut">
          {agent.name}
          {agent.id === me && <span className="faint"> (you)</span>}
        </b>
        <span className="faint small cut">{agent.deactivated ? "Deactivated" : agent.email}</span>
      </span>
      {fixed ? (
        <span className="tag">{ROLE_NAMES[agent.role]}</span>
      ) : (
        <select className="input choice" aria-label={`Role of ${agent.name}`} value={agent.role} onChange={(event) => choose(event.target.value as Role)}>
          {roles.map((role) => (
            <option key={role} value={role}>
              {ROLE_NAMES[role]}
            </option>
          ))}
        </select>
      )}
      {!fixed && agent.id !== me && <Grants agent={agent} onChange={(grants) => change({ grants })} />}
      {agent.id !== me && (agent.role !== "owner" || may("owner")) && (
        <Button size="small" {...(agent.deactivated ? {} : { tone: "risk" as const })} onClick={() => void deactivate(!agent.deactivated)}>
          {agent.deactivated ? "Reactivate" : "Deactivate"}
        </Button>
      )}
      <LastChange of={agent.id} />
      <Dialog title={`Make ${agent.name} the owner?`} open={isHanding} onClose={() => setHanding(false)}>
        <p>You become an admin, and only the new owner can give ownership back.</p>
        <div className="dialog-foot">
          <Button onClick={() => setHanding(false)}>Cancel</Button>
          <Button
            tone="risk"
            onClick={() => {
              setHanding(false);
              void change({ role: "owner" });
            }}
          >
            Hand over
          </Button>
        </div>
      </Dialog>
    </li>
  );
}

function Invitations() {
  const found = useQuery(invitationsQuery);
  const cache = useQueryClient();
  if (!found.data || found.data.length === 0) return null;
  return (
    <Section title="Open invitations" hint="A link is shown once, when it is made. Withdraw and invite again for a new one.">
      <ul className="rows">
        {found.data.map((invitation) => (
          <li key={invitation.id}>
            <span className="grow">
              <b className="cut">{invitation.email}</b>
              <span className="faint small"> {ROLE_NAMES[invitation.role]}, until {soonText(invitation.expires_at_ms, now())}</span>
            </span>
            <Button
              size="small"
              tone="risk"
              onClick={() =>
                void takeAway(`invitations/${invitation.id}`)
                  .catch((error: unknown) => toastError(errorText(error)))
                  .finally(() => void cache.invalidateQueries({ queryKey: ["invitations"] }))
              }
            >
              Withdraw
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Invite({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("agent");
  const [error, setError] = useState<unknown>(null);
  const [made, setMade] = useState<Invitation | null>(null);
  const cache = useQueryClient();
  async function invite() {
    setError(null);
    try {
      const body: NewInvitation = { email: email.trim(), role };
      setMade(await call<Invitation>("invitations", { method: "POST", body }));
      void cache.invalidateQueries({ queryKey: ["invitations"] });
    } catch (reason) {
      setError(reason);
    }
  }
  const lacks = useLacks(emailLacks(email, "Write the address of who is to come."), error, invite);
  function done() {
    setEmail("");
    lacks.clear();
    setMade(null);
    setError(null);
    onClose();
  }
  const isSingle = useQuery(workspaceQuery).data?.settings.single_owner ?? false;
  const roles: Role[] = useMay()("owner") ? ["agent", "admin", "owner"] : ["agent", "admin"];
  return (
    <Dialog title={made ? "Send the link" : "Invite somebody"} open={open} keeps={made !== null} onClose={done}>
      {made?.link ? (
        <ShownOnce name="The link" secret={made.link} done="I have copied it" onDone={done}>
          Send this link to <b>{made.email}</b>. It works once, until {soonText(made.expires_at_ms, now())}.
        </ShownOnce>
      ) : (
        <form className="stack" {...lacks.form}>
          <TextField label="E-mail" type="email" value={email} onValue={setEmail} error={lacks.said("email") ?? fieldError(error, "email")} required autoFocus />
          <Field label="Role" hint={role === "owner" && isSingle ? "You become an admin when the invitation is accepted." : undefined}>
            {(props) => (
              <select {...props} className="input" value={role} onChange={(event) => setRole(event.target.value as Role)}>
                {roles.map((each) => (
                  <option key={each} value={each}>
                    {ROLES[each]}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <FormError text={formError(error, ["email"])} />
          <div className="dialog-foot">
            <Button onClick={done}>Cancel</Button>
            <Button type="submit" tone="accent">
              Make a link
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
