/** How long members were there, and whether they are. Pure. */
import type { Agent, AgentId, Attendance, SignIn } from "@switchboard/protocol";

/** A length in hours and minutes. */
export function hoursText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes % 60} min`;
}

/** What the lamp of sign-ins says: somebody is there, or was and may come back; nothing where all were ended. */
export type Use = "live" | "quiet" | null;

/** What was used within this time is in use. */
const USED_MS = 5 * 60_000;

/** The sign-ins in use: those used a moment ago, and of whoever is here the one he used last. */
export function inUse(sign_ins: readonly SignIn[], here: ReadonlySet<AgentId>, now_ms: number): ReadonlySet<SignIn> {
  const open = sign_ins.filter((one) => one.ended_at_ms == null);
  const last = new Map<AgentId, SignIn>();
  for (const one of open) if (one.seen_at_ms > (last.get(one.agent_id)?.seen_at_ms ?? -1)) last.set(one.agent_id, one);
  return new Set(open.filter((one) => now_ms - one.seen_at_ms < USED_MS || (here.has(one.agent_id) && last.get(one.agent_id) === one)));
}

/** What the lamp of some of them says. */
export function lampOf(sign_ins: readonly SignIn[], in_use: ReadonlySet<SignIn>): Use {
  if (sign_ins.some((one) => in_use.has(one))) return "live";
  return sign_ins.some((one) => one.ended_at_ms == null) ? "quiet" : null;
}

/** A member's time, of all of the team. */
export interface Spent {
  agent: Pick<Agent, "id" | "name" | "deactivated">;
  ms: number;
  count: number;
  /** The last use of all his sign-ins; nothing where there is none. */
  seen_at_ms: number | null;
  use: Use;
}

/** The time of each member, the longest first; who left counts where he signed in. */
export function spentBy(agents: readonly Spent["agent"][], sign_ins: readonly SignIn[], in_use: ReadonlySet<SignIn>, attendance: readonly Attendance[]): Spent[] {
  const of = new Map<string, SignIn[]>();
  for (const one of sign_ins) {
    const his = of.get(one.agent_id);
    if (his) his.push(one);
    else of.set(one.agent_id, [one]);
  }
  return agents
    .filter((agent) => !agent.deactivated || of.has(agent.id))
    .map((agent) => {
      const his = of.get(agent.id) ?? [];
      return {
        agent,
        ms: attendance.find(({ agent_id }) => agent_id === agent.id)?.used_ms ?? 0,
        count: his.length,
        seen_at_ms: his.length === 0 ? null : Math.max(...his.map((one) => one.seen_at_ms)),
        use: lampOf(his, in_use),
      };
    })
    .sort((one, other) => other.ms - one.ms || one.agent.name.localeCompare(other.agent.name));
}
