/** My own things, as others see them. */
import { useQuery } from "@tanstack/react-query";
import type { Agent, AgentChange } from "@switchboard/protocol";

import { agentsQuery } from "../api/query.ts";
import { membership, team } from "../live/session.ts";
import { Field, TextField } from "../part/control.tsx";
import { useStore } from "../part/store.ts";
import { zones, zoneToday } from "../part/zone.ts";
import { useHeld } from "./held.ts";
import { PageHead, Section } from "./page.tsx";
import { PictureField } from "./picture.tsx";
import { useSaving } from "./save.ts";
import { Saved, SavingLines } from "./saved.tsx";

const KEY = ["agents"];

/** The page of the profile. */
export function ProfilePage() {
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const heard = useStore(team, (held) => held.agents.get(me));
  const asked = useQuery(agentsQuery);
  const agent = asked.data?.find((each) => each.id === me) ?? heard;
  return (
    <div className="page">
      <PageHead title="Profile" record_id={agent?.id}>
        {agent?.email}
      </PageHead>
      {agent && <NameForm agent={agent} />}
    </div>
  );
}

function NameForm({ agent: heard }: { agent: Agent }) {
  const { record: agent, saving, change } = useSaving<Agent, AgentChange>(`agents/${heard.id}`, KEY, heard);
  const [name, setName] = useHeld(agent.name);
  const [zone, setZone] = useHeld(agent.time_zone);
  return (
    <Section title="How others see you">
      <PictureField agent={agent} error={saving.errorAt("picture")} onValue={(picture) => change({ picture }, "now")} />
      <TextField
        label="Name"
        hint="Visitors and the team see it."
        value={name}
        error={name.trim() ? saving.errorAt("name") : "A name is needed."}
        onValue={(value) => {
          setName(value);
          if (value.trim()) change({ name: value.trim() });
        }}
      />
      <Field label="Time zone">
        {(props) => (
          <select
            {...props}
            className="input"
            value={zoneToday(zone)}
            onChange={(event) => {
              setZone(event.target.value);
              change({ time_zone: event.target.value }, "now");
            }}
          >
            {zones(zone).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        )}
      </Field>
      <Saved saving={saving} />
      <SavingLines saving={saving} />
    </Section>
  );
}
