/** Rights of one member besides those of the role. */
import { useState } from "react";
import type { Agent, Permission } from "@switchboard/protocol";

import { useMay } from "../live/right.ts";
import { Button } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { useHere } from "../part/here.ts";
import { grantable } from "./right.ts";

/** A button that says how many there are, and opens them. */
export function Grants({ agent, onChange }: { agent: Agent; onChange: (grants: Permission[]) => Promise<Agent | undefined> }) {
  const [open, setOpen] = useState(false);
  const rights = grantable(agent.role);
  if (rights.length === 0 && agent.grants.length === 0) return null;
  const words = agent.grants.length === 0 ? "Rights" : `Rights +${agent.grants.length}`;
  return (
    <>
      <Button size="small" onClick={() => setOpen(true)} aria-label={`${words} of ${agent.name}`}>
        {words}
      </Button>
      {open && <Choice agent={agent} onClose={() => setOpen(false)} onChange={onChange} />}
    </>
  );
}

function Choice({ agent, onClose, onChange }: { agent: Agent; onClose: () => void; onChange: (grants: Permission[]) => Promise<Agent | undefined> }) {
  // What is changed here goes on top of what stands by then: nobody gives back by it what somebody else took.
  const [changed, setChanged] = useState<ReadonlyMap<Permission, boolean>>(new Map());
  const grants = [...new Set([...agent.grants, ...changed.keys()])].filter((right) => changed.get(right) ?? true);
  const [saving, setSaving] = useState(false);
  const may = useMay();
  const isHere = useHere();
  async function save() {
    setSaving(true);
    const stored = await onChange(grants);
    setSaving(false);
    if (stored && isHere()) onClose();
  }
  return (
    <Dialog title={`What ${agent.name} may besides`} open onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <fieldset className="checks">
          <legend>Besides what the role allows</legend>
          {grantable(agent.role).map(([right, words]) => (
            <label key={right}>
              <input
                type="checkbox"
                checked={grants.includes(right)}
                disabled={!may(right)}
                onChange={(event) => setChanged(new Map(changed).set(right, event.target.checked))}
              />
              {words} <code className="faint small">{right}</code>
            </label>
          ))}
        </fieldset>
        <p className="field-hint">Only what you may yourself can be given. It counts at once, and so does taking it back.</p>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="accent" disabled={saving}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
